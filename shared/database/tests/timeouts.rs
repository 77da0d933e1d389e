//! Only on MariaDB, where `TECHPOTLI_TEST_MYSQL` holds a server's URL: SQLite has no other clients to protect.

use std::time::Duration;

use common::{Fault, FaultCode};
use database::{Database, Options};
use sea_orm::{ConnectionTrait as _, Statement};

#[tokio::test]
async fn the_server_ends_a_statement_that_takes_too_long_on_every_connection() {
    let Ok(server) = std::env::var("TECHPOTLI_TEST_MYSQL") else { return };
    let url = format!("{}/t{}", server.trim_end_matches('/'), uuid::Uuid::new_v4().simple());
    let options = Options { statement_timeout: Duration::from_millis(100), ..Options::new(url) };
    let database = Database::open(&options).await.unwrap();
    // Side by side, so that each has a connection of its own.
    let slow = (0..4).map(|_| async {
        let text = "SELECT COUNT(*) FROM information_schema.columns AS a, information_schema.columns AS b \
            WHERE SLEEP(60) = 0";
        let statement = Statement::from_string(database.backend(), text);
        database.newest().query_one_raw(statement).await.map(drop)
    });
    for ended in futures::future::join_all(slow).await {
        let fault = Fault::from(ended.unwrap_err());
        assert_eq!(fault.code, FaultCode::Unavailable, "{}", fault.chain());
    }
}
