//! Steps on a real database: SQLite, or MariaDB where `TECHPOTLI_TEST_MYSQL` holds a server's URL.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test where it stands")]

use database::{Change, Database, Step, column, migrate, missing, table};
use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::prelude::Alias;

fn older() -> Vec<Step> {
    vec![
        Step {
            name: "m0001_thing",
            change: || {
                let id = column(Alias::new("id")).integer().not_null().primary_key().take();
                let name = column(Alias::new("name")).string_len(20).not_null().take();
                Change::table(table(Alias::new("thing")).col(id).col(name))
            },
        },
        Step { name: "m0002_thing_name", change: || Change::index("thing_name", "thing", &["name"], true) },
    ]
}

/// The next version: it expands what is there.
fn newer() -> Vec<Step> {
    let mut steps = older();
    steps.push(Step {
        name: "m0003_thing_weight",
        change: || Change::column("thing", column(Alias::new("weight")).integer().not_null().default(7)),
    });
    steps
}

async fn run(database: &Database, text: &str) {
    database.schema().execute_unprepared(text).await.unwrap();
}

async fn number(database: &Database, text: &str) -> i64 {
    let statement = Statement::from_string(database.backend(), text);
    database.newest().query_one_raw(statement).await.unwrap().unwrap().try_get("", "number").unwrap()
}

#[tokio::test]
async fn an_older_version_runs_on_over_what_a_newer_one_has_expanded() {
    let folder = tempfile::tempdir().unwrap();
    let url = match std::env::var("TECHPOTLI_TEST_MYSQL") {
        Ok(server) => format!("{}/t{}", server.trim_end_matches('/'), uuid::Uuid::new_v4().simple()),
        Err(_) => format!("sqlite:{}/thing.sqlite", folder.path().display()),
    };
    let database = Database::connect(&url).await.unwrap();
    assert_eq!(missing(&database, vec![older]).await.unwrap(), ["m0001_thing", "m0002_thing_name"]);
    migrate(&database, vec![older]).await.unwrap();
    run(&database, "INSERT INTO thing (id, name) VALUES (1, 'before')").await;
    assert_eq!(missing(&database, vec![newer]).await.unwrap(), ["m0003_thing_weight"]);
    migrate(&database, vec![newer]).await.unwrap();

    // The version before is content with it, writes rows that do not know the column, and may even migrate.
    assert!(missing(&database, vec![older]).await.unwrap().is_empty());
    run(&database, "INSERT INTO thing (id, name) VALUES (2, 'after')").await;
    migrate(&database, vec![older]).await.unwrap();
    assert_eq!(number(&database, "SELECT CAST(SUM(weight) AS SIGNED) AS number FROM thing").await, 14);
}

#[tokio::test]
async fn what_was_made_and_not_noted_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database =
        Database::connect(&format!("sqlite:{}/thing.sqlite", folder.path().display())).await.unwrap();
    migrate(&database, vec![newer]).await.unwrap();
    // As after a kill between each change and its note.
    run(&database, "DELETE FROM seaql_migrations").await;
    run(&database, "INSERT INTO thing (id, name) VALUES (1, 'kept')").await;
    migrate(&database, vec![newer]).await.unwrap();
    assert!(missing(&database, vec![newer]).await.unwrap().is_empty());
    assert_eq!(number(&database, "SELECT CAST(SUM(weight) AS SIGNED) AS number FROM thing").await, 7);
}
