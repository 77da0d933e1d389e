//! Making accounts.

use std::sync::Arc;

use auth::Viewer;
use events::users::UsersEvent;
use serde_json::json;

use crate::{Bench, PASSWORD, at_once, code};

#[tokio::test]
async fn an_account_is_kept_under_the_normalised_address_and_announced() {
    let bench = Bench::new().await;
    let answer = bench.register("  Ada@Example.COM ").await;
    assert_eq!(answer["user"]["email"], "ada@example.com");
    assert_eq!(answer["userErrors"], json!([]));
    let events = messaging::pending(&bench.ports.database).await.unwrap();
    let event: UsersEvent = events[0].open().unwrap();
    let UsersEvent::UserRegistered { user, email, locale } = event else { panic!("{event:?}") };
    assert_eq!(
        (user.to_string(), email.as_str()),
        (answer["user"]["id"].as_str().unwrap().into(), "ada@example.com")
    );
    assert_eq!((locale.as_str(), events.len()), ("en", 1));
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written() {
    let bench = Bench::new().await;
    bench.register("ada@example.com").await;
    let again = bench.register("ADA@example.com").await;
    assert_eq!((code(&again), &again["user"]), ("TAKEN", &json!(null)));
    assert_eq!(again["userErrors"][0]["field"], json!(["input", "email"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_register_one_address_at_once_one_gets_it() {
    let bench = Arc::new(Bench::new().await);
    let answers = at_once(&bench, 8, |bench, _| async move { bench.register("ada@example.com").await }).await;
    let mut made = 0;
    for answer in answers {
        if answer["user"].is_null() { assert_eq!(code(&answer), "TAKEN") } else { made += 1 }
    }
    assert_eq!(made, 1);
    assert_eq!(messaging::pending(&bench.ports.database).await.unwrap().len(), 1);
}

#[tokio::test]
async fn bad_addresses_and_weak_passwords_are_refused_by_field() {
    let bench = Bench::new().await;
    let cases = [
        ("ada@", PASSWORD, "INVALID", "email"),
        ("ada@example.com", "short", "WEAK_PASSWORD", "password"),
        ("ada@example.com", "password123", "WEAK_PASSWORD", "password"),
        ("augusta.king@example.com", "Augusta.King", "WEAK_PASSWORD", "password"),
    ];
    for (email, password, expected, field) in cases {
        let input = json!({ "email": email, "password": password });
        let selection = "user { id } userErrors { code field }";
        let answer = bench.mutate(&Viewer::anonymous(), "userRegister", selection, input).await;
        assert_eq!((code(&answer), &answer["user"]), (expected, &json!(null)), "{email} {password}");
        assert_eq!(answer["userErrors"][0]["field"], json!(["input", field]));
    }
    assert_eq!(messaging::pending(&bench.ports.database).await.unwrap().len(), 0);
}
