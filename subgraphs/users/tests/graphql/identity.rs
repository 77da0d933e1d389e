//! Accounts of people whom an identity provider vouches for.

use std::sync::Arc;

use auth::Viewer;
use common::id::UserId;
use events::calls::Call as _;
use events::calls::users::{IdentityLinked, LinkIdentity};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::{Bench, at_once};

fn person(subject: &str, email: &str) -> LinkIdentity {
    LinkIdentity {
        issuer: "https://id.example/realms/shop".into(),
        subject: subject.into(),
        email: Some(email.into()),
        email_verified: true,
        locale: Some("de-AT".into()),
        roles: Vec::new(),
    }
}

impl Bench {
    async fn link(&self, person: &LinkIdentity) -> IdentityLinked {
        let answer =
            self.run(&Viewer::service("gateway"), LinkIdentity::DOCUMENT, json!({ "request": person })).await;
        serde_json::from_value(answer["data"]["reply"].clone()).unwrap_or_else(|_| panic!("{answer}"))
    }

    async fn linked(&self, person: &LinkIdentity) -> UserId {
        match self.link(person).await {
            IdentityLinked::Account { user, .. } => user,
            IdentityLinked::Refused(reason) => panic!("refused: {reason}"),
        }
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        let statement =
            sea_orm::Statement::from_string(self.ports.database.schema().get_database_backend(), sql);
        let row = self.ports.database.schema().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "n").unwrap()
    }

    async fn confirm(&self, email: &str) {
        let sql = format!("UPDATE user SET email_verified = TRUE WHERE email = '{email}'");
        self.ports.database.schema().execute_unprepared(&sql).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_log_in_makes_an_account_and_later_ones_find_it() {
    let bench = Bench::new().await;
    let ada = person("1", "Ada@Example.com");
    let user = bench.linked(&ada).await;
    let viewer = Viewer::user(user, bench.ports.ids.next());
    let me = bench
        .run(&viewer, "{ me { email emailVerified locale displayName roles { name } } }", json!({}))
        .await;
    let expected = json!({ "email": "ada@example.com", "emailVerified": true, "locale": "de-AT",
        "displayName": null, "roles": [{ "name": "customer" }] });
    assert_eq!(me["data"]["me"], expected);
    let moved = LinkIdentity { email: Some("ada@elsewhere.example".into()), email_verified: false, ..ada };
    assert_eq!(bench.linked(&moved).await, user, "an identity is its subject and not its address");
    assert_eq!((bench.count("user").await, bench.count("identity").await), (1, 1));
}

#[tokio::test]
async fn a_confirmed_address_links_and_an_unconfirmed_one_never_does() {
    let bench = Bench::new().await;
    let ada = bench.newcomer("ada@example.com").await.viewer.user_id().unwrap();
    let refused = |linked| matches!(linked, IdentityLinked::Refused(_));
    assert!(refused(bench.link(&person("1", "ada@example.com")).await), "nobody has confirmed it here");
    bench.confirm("ada@example.com").await;
    let unproven = LinkIdentity { email_verified: false, ..person("1", "ada@example.com") };
    assert!(refused(bench.link(&unproven).await), "nobody has confirmed it there");
    let nameless = LinkIdentity { email: None, ..person("1", "ada@example.com") };
    assert!(refused(bench.link(&nameless).await));
    assert_eq!(bench.count("identity").await, 0);
    assert_eq!(bench.linked(&person("1", " ADA@example.com")).await, ada);
}

#[tokio::test]
async fn subjects_of_two_providers_are_two_people() {
    let bench = Bench::new().await;
    let one = person("1", "ada@example.com");
    let other = LinkIdentity { issuer: "https://other.example".into(), ..person("1", "bob@example.com") };
    // Without its length the issuer of one could swallow the subject of the other.
    let glued =
        LinkIdentity { issuer: "https://id.example/realms/shop1".into(), ..person("", "eve@example.com") };
    let (ada, bob) = (bench.linked(&one).await, bench.linked(&other).await);
    assert_ne!(ada, bob);
    assert!(matches!(bench.link(&glued).await, IdentityLinked::Refused(_)));
}

#[tokio::test]
async fn scopes_follow_the_providers_roles_of_this_log_in() {
    let bench = Bench::new().await;
    let support =
        LinkIdentity { roles: vec!["support".into(), "uma".into()], ..person("1", "ada@example.com") };
    let scopes = |linked| match linked {
        IdentityLinked::Account { scopes, .. } => scopes.join(" "),
        IdentityLinked::Refused(reason) => reason,
    };
    assert_eq!(
        scopes(bench.link(&support).await),
        "orders:read orders:write inventory:read payments:read users:read"
    );
    assert_eq!(scopes(bench.link(&person("1", "ada@example.com")).await), "");
}

#[tokio::test]
async fn nobody_but_a_service_links() {
    let bench = Bench::new().await;
    let admin = bench.staff("admin@example.com", "admin").await.viewer;
    for viewer in [Viewer::anonymous(), admin] {
        let request = json!({ "request": person("1", "ada@example.com") });
        let answer = bench.run(&viewer, LinkIdentity::DOCUMENT, request).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    assert_eq!(bench.count("identity").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_log_ins_at_the_same_time_make_one_account() {
    let bench = Arc::new(Bench::new().await);
    let users =
        at_once(&bench, 20, |bench, _| async move { bench.linked(&person("1", "ada@example.com")).await })
            .await;
    assert!(users.iter().all(|user| *user == users[0]), "{users:?}");
    assert_eq!((bench.count("user").await, bench.count("identity").await), (1, 1));
    let _: Value = bench.register("ada@example.com").await;
    assert_eq!(bench.count("user").await, 1);
}
