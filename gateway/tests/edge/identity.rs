//! Who gets in, and how far.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::door::{Door, post};

#[tokio::test]
async fn a_token_makes_a_user_and_none_makes_a_guest() {
    let door = Door::new();
    let token = door.token(&[]);
    assert_eq!(door.query("{ whoami }").await.json()["data"]["whoami"], "guest us USD US en");
    assert_eq!(door.query_as(&token, "{ whoami }").await.json()["data"]["whoami"], "user us USD US en");
    let body = json!({ "query": "{ whoami }" }).to_string();
    let headers =
        [("x-channel", "eu"), ("x-currency", "EUR"), ("x-country", "DE"), ("accept-language", "de")];
    assert_eq!(door.send(post(&headers, &body)).await.json()["data"]["whoami"], "guest eu EUR DE de");
    let reply = door.send(post(&[("x-currency", "EURO")], &body)).await;
    assert_eq!(reply.refusal(), (400, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_and_asks_no_subgraph() {
    let door = Door::new();
    let good = door.token(&[]);
    let forged = Door::new().token(&[]);
    let cut = &good[..good.len() - 4];
    for authorization in
        [forged.as_str(), cut, "Bearer x.y.z", "Basic eDp5", "Bearer", &good["Bearer ".len()..]]
    {
        let reply = door.query_as(authorization, "{ hello }").await;
        assert_eq!(reply.refusal(), (401, "UNAUTHENTICATED".to_owned()), "{authorization}");
        assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    let body = json!({ "query": "{ hello }" }).to_string();
    let twice = post(&[("authorization", &good), ("authorization", &good)], &body);
    assert_eq!(door.send(twice).await.refusal().0, 401);
    // The status is the same for a client that knows plain JSON only.
    let legacy = post(&[("authorization", &forged), ("accept", "application/json")], &body);
    assert_eq!(door.send(legacy).await.refusal().0, 401);
    assert_eq!(door.calls.load(Ordering::SeqCst), 0);

    assert_eq!(door.query_as(&good, "{ hello }").await.status, 200);
    door.clock.advance(Duration::from_secs(120));
    assert_eq!(door.query_as(&good, "{ hello }").await.refusal(), (401, "UNAUTHENTICATED".to_owned()));
}

#[tokio::test]
async fn a_field_is_shown_to_those_who_may_see_it() {
    let door = Door::new();
    let (user, clerk) = (door.token(&[]), door.token(&["ledger:read"]));
    let document = "{ hello orders ledger }";

    let body = door.query(document).await.json();
    assert_eq!(body["data"], json!({ "hello": "world", "orders": null, "ledger": null }));
    for error in body["errors"].as_array().unwrap() {
        assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED");
    }
    let body = door.query_as(&user, document).await.json();
    assert_eq!(body["data"], json!({ "hello": "world", "orders": "two", "ledger": null }));
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(body["errors"][0]["path"], json!(["ledger"]));
    let body = door.query_as(&clerk, document).await.json();
    assert_eq!(body, json!({ "data": { "hello": "world", "orders": "two", "ledger": "balanced" } }));

    let calls = door.calls.load(Ordering::SeqCst);
    assert_eq!(door.query("{ orders }").await.json()["data"], json!({ "orders": null }));
    assert_eq!(door.calls.load(Ordering::SeqCst), calls, "a denied field is not asked for");
}

#[tokio::test]
async fn identity_cannot_be_put_on_from_outside() {
    let door = Door::new();
    let body = json!({ "query": "{ whoami }" }).to_string();
    for name in ["x-techpotli-passport", "x-user-id", "x-viewer", "x-forwarded-user"] {
        let reply = door.send(post(&[(name, "{\"actor\":\"service\"}")], &body)).await;
        assert_eq!(reply.json()["data"]["whoami"], "guest us USD US en", "{name}");
    }
}
