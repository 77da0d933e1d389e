//! Subscriptions as server-sent events (graphql-sse, distinct connections).

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::door::{Door, post};

const EVENTS: [(&str, &str); 1] = [("accept", "text/event-stream")];

#[tokio::test]
async fn each_result_is_an_event_and_the_end_is_another() {
    let door = Door::new();
    let reply = door.send(post(&EVENTS, &json!({ "query": "subscription { ticks }" }).to_string())).await;
    assert_eq!(reply.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(
        reply.text,
        "event: next\ndata: {\"data\":{\"ticks\":1}}\n\n\
         event: next\ndata: {\"data\":{\"ticks\":2}}\n\n\
         event: next\ndata: {\"data\":{\"ticks\":3}}\n\n\
         event: complete\ndata:\n\n"
    );
    let got = door.get("/graphql?query=subscription%7Bticks%7D", &[EVENTS[0], ("x-graphql-csrf", "1")]).await;
    assert_eq!(got.text, reply.text);
}

#[tokio::test]
async fn what_is_refused_is_refused_before_the_stream() {
    let door = Door::new();
    let reply = door.send(post(&EVENTS, &json!({ "query": "subscription { nobody }" }).to_string())).await;
    assert_eq!(reply.refusal(), (400, "GRAPHQL_VALIDATION_FAILED".to_owned()));
    let full = Door::with(|config| config.subscriptions.connections = 0);
    let reply = full.send(post(&EVENTS, &json!({ "query": "subscription { ticks }" }).to_string())).await;
    assert_eq!(reply.refusal(), (503, "RATE_LIMITED".to_owned()));
}

async fn open(door: &Door) -> Body {
    let request = post(&EVENTS, &json!({ "query": "subscription { forever }" }).to_string());
    door.router.clone().oneshot(request).await.unwrap().into_body()
}

async fn chunk(body: &mut Body) -> String {
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    String::from_utf8(frame.to_vec()).unwrap()
}

#[tokio::test]
async fn a_client_that_goes_ends_its_subscription_in_the_subgraph() {
    let door = Door::new();
    let mut body = open(&door).await;
    assert_eq!(chunk(&mut body).await, "event: next\ndata: {\"data\":{\"forever\":0}}\n\n");
    assert_eq!(door.running.load(Ordering::SeqCst), 1);
    drop(body);
    door.comes_to_run(0).await;
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_and_ends_with_the_drain() {
    let door = Door::with(|config| config.subscriptions.keep_alive = Duration::from_millis(1));
    let mut body = open(&door).await;
    let next = "event: next\ndata: {\"data\":{\"forever\":0}}\n\n";
    let (mut results, mut comments) = (0, 0);
    while results == 0 || comments == 0 {
        match chunk(&mut body).await {
            result if result == next => results += 1,
            comment => {
                assert_eq!(comment, ":\n\n");
                comments += 1; // which may come before the subgraph's first result
            }
        }
    }
    assert_eq!(results, 1);
    door.tasks.stop();
    let mut last = String::new();
    while let Some(frame) = body.frame().await {
        last = String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap();
    }
    assert_eq!(last, "event: complete\ndata:\n\n");
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_opened_it() {
    let door = Door::new();
    let token = door.token(&[]);
    door.clock.advance(Duration::from_secs(60)); // at its end, and within the skew that clocks are allowed
    let body = json!({ "query": "subscription { forever }" }).to_string();
    let reply = door.send(post(&[EVENTS[0], ("authorization", &token)], &body)).await;
    assert!(reply.text.contains("UNAUTHENTICATED"), "{}", reply.text);
    assert!(reply.text.ends_with("event: complete\ndata:\n\n"), "{}", reply.text);
}
