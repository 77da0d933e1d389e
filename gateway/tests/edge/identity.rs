//! Who gets in, and how far.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::{Json, Router};
use bytes::Bytes;
use engine::{HttpClient, HttpOptions, Subgraphs};
use gateway::GatewayConfig;
use serde_json::json;
use tokio::net::TcpListener;

use crate::door::{Door, engine, post};
use crate::shop::SDL;

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

#[tokio::test]
async fn a_subgraph_over_http_gets_a_passport_and_nothing_else_of_the_client() {
    let door = Door::new();
    let seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
    let noted = seen.clone();
    let answer = async move |headers: HeaderMap, body: Bytes| {
        noted.lock().unwrap().push((headers, body));
        Json(json!({ "data": { "hello": "from afar" } }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    runtime::server::serve(
        "subgraph",
        listener,
        Router::new().route("/graphql", axum::routing::post(answer)),
        &door.tasks,
    );
    let afar = HttpClient::new(HttpOptions::default()).subgraph(url.parse().unwrap());
    door.gateway.replace_engine(engine(
        SDL,
        Subgraphs::new().with_http("shop", afar),
        &GatewayConfig::default(),
    ));

    let token = door.token(&["ledger:read"]);
    let headers = [
        ("authorization", token.as_str()),
        ("cookie", "session=1"),
        ("x-techpotli-passport", "forged"),
        ("x-user-id", "1"),
        ("x-request-id", "r1"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-currency", "EUR"),
    ];
    let reply = door.send(post(&headers, &json!({ "query": "{ hello }" }).to_string())).await;
    assert_eq!(reply.json()["data"]["hello"], "from afar");

    let (headers, body) = seen.lock().unwrap().pop().unwrap();
    let passport = headers["x-techpotli-passport"].to_str().unwrap();
    let viewer = door.passports.verify(passport, &body).unwrap().viewer;
    assert!(viewer.user_id().is_some() && viewer.has_scope("ledger:read"));
    assert_eq!(viewer.context.currency.code(), "EUR");
    assert_eq!(headers["x-request-id"], "r1");
    assert!(headers.contains_key("traceparent"));
    for name in ["authorization", "cookie", "x-user-id", "x-currency"] {
        assert!(!headers.contains_key(name), "{name} is not passed on");
    }
}
