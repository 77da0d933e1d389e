//! Subgraphs over HTTP that misbehave, headers, subscriptions, joined calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use engine::{Engine, EngineOptions, HttpClient, HttpOptions, PassportSigner, RequestContext, Subgraphs};
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use supergraph::Supergraph;
use tokio::sync::{Semaphore, mpsc};

use crate::fake::Fake;
use crate::server::{answer, serve};
use crate::shop;
use crate::support::{json, local, object, remote, run, supergraph, text};

fn one() -> Arc<Supergraph> {
    supergraph(&[(
        "one",
        "type Query { a: Int b: [T!] } type T { x: String } type Subscription { ticks(n: Int): T }",
    )])
}

fn over(url: Uri, options: EngineOptions, http: HttpOptions) -> Engine {
    let subgraphs = Subgraphs::new().with_http("one", HttpClient::new(http).subgraph(url));
    Engine::new(one(), subgraphs, options).unwrap()
}

fn plain(url: Uri) -> Engine {
    over(url, EngineOptions::default(), HttpOptions::default())
}

async fn fixed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Uri {
    let body: Bytes = body.into();
    serve(move |_| {
        let mut response = answer(media_type, body.clone());
        *response.status_mut() = status;
        async move { response }
    })
    .await
}

#[tokio::test]
async fn answers_that_are_no_answers_leave_null_and_a_code() {
    let cases: [(StatusCode, &str, &[u8]); 12] = [
        (StatusCode::OK, "application/json", b""),
        (StatusCode::OK, "application/json", b"{\"data\":{\"a\":1}"),
        (StatusCode::OK, "application/json", b"{\"data\":{\"a\":1}} x"),
        (StatusCode::OK, "application/json", b"{\"data\":{\"a\":1,}}"),
        (StatusCode::OK, "application/json", b"[]"),
        (StatusCode::OK, "application/json", b"{}"),
        (StatusCode::OK, "application/json", b"{\"data\":null}"),
        (StatusCode::OK, "application/json", b"{\"data\":{\"a\":\"\xff\"}}"),
        (StatusCode::OK, "text/html", b"<html>"),
        (StatusCode::INTERNAL_SERVER_ERROR, "application/json", b"{\"data\":{\"a\":1}}"),
        (StatusCode::NOT_FOUND, "text/plain", b"no"),
        (StatusCode::FOUND, "text/plain", b""),
    ];
    for (status, media_type, body) in cases {
        let engine = plain(fixed(status, media_type, body).await);
        let answer = json(&engine, "{ a }").await;
        assert_eq!(answer["data"], json!({"a": null}), "{}", body.escape_ascii());
        assert_eq!(answer["errors"][0]["path"], json!(["a"]));
        assert_eq!(answer["errors"][0]["extensions"]["code"], "SUBGRAPH_UNAVAILABLE");
        assert!(!answer.to_string().contains("127.0.0.1"));
    }
}

#[tokio::test]
async fn an_unreachable_subgraph_is_told_without_its_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let answer = json(&plain(url.parse().unwrap()), "{ a }").await;
    assert_eq!(answer["errors"][0]["message"], "The subgraph one could not be reached");
    assert_eq!(answer["errors"][0]["extensions"], json!({"code": "SUBGRAPH_UNAVAILABLE", "retryable": true}));
}

#[tokio::test]
async fn errors_come_through_with_other_statuses_than_200() {
    let body = r#"{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}"#;
    for (status, media_type) in
        [(401, "application/json"), (500, "application/graphql-response+json; charset=utf-8")]
    {
        let engine = plain(fixed(StatusCode::from_u16(status).unwrap(), media_type, body).await);
        let answer = json(&engine, "{ a }").await;
        assert_eq!(
            answer["errors"],
            json!([{"message": "no", "path": ["a"], "extensions": {"code": "UNAUTHENTICATED"}}])
        );
    }
}

#[tokio::test]
async fn a_body_is_given_up_once_it_is_too_long() {
    let long = format!("{{\"data\":{{\"b\":[{{\"x\":\"{}\"}}]}}}}", "x".repeat(100_000));
    let url = fixed(StatusCode::OK, "application/json", long).await;
    let http = HttpOptions { max_response_bytes: 10_000, ..HttpOptions::default() };
    let answer = json(&over(url.clone(), EngineOptions::default(), http), "{ b { x } }").await;
    assert_eq!(answer["errors"][0]["message"], "The subgraph one answered with more bytes than allowed");
    let answer = json(&plain(url), "{ b { x } }").await;
    assert_eq!(answer["data"]["b"][0]["x"].as_str().unwrap().len(), 100_000);
}

#[tokio::test]
async fn odd_but_valid_json_is_read_as_it_is_meant() {
    let body = " {\"extensions\" : {\"x\":[{}]} , \"d\\u0061ta\": { \"other\":[[\"]}\"]], \"a\" :1, \"a\": 2 ,\"b\":[ {\"x\": \"\\u00e9\\\"\"} , {\"y\":1}, {} ] } }\r\n";
    let engine = plain(fixed(StatusCode::OK, "application/json", body).await);
    let text = run(&engine, "{ b { x } a }").await;
    assert_eq!(text, r#"{"data":{"b":[{"x":"\u00e9\""},{"x":null},{"x":null}],"a":2}}"#);
}

struct Signer;

impl PassportSigner for Signer {
    fn sign(&self, subgraph: &str, body: &[u8]) -> Option<(HeaderName, HeaderValue)> {
        let value = format!("{subgraph} {}", body.len());
        Some((HeaderName::from_static("x-passport"), value.parse().unwrap()))
    }
}

#[tokio::test]
async fn calls_carry_the_requests_headers_a_signature_and_the_time_left() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let url = serve(move |request| {
        let tell = tell.clone();
        async move {
            let headers = request.headers().clone();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            tell.send((headers, body)).unwrap();
            answer("application/json", r#"{"data":{"a":1}}"#)
        }
    })
    .await;
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", HeaderValue::from_static("00-1-2-01"));
    let context = RequestContext {
        headers,
        signer: Some(Arc::new(Signer)),
        deadline: Some(tokio::time::Instant::now() + std::time::Duration::from_secs(60)),
        ..RequestContext::default()
    };
    text(
        &plain(url),
        "query Named($x: Boolean = true) { a @include(if: $x) b { x } }",
        Value::Null,
        &context,
    )
    .await;
    let (headers, body) = told.recv().await.unwrap();
    assert_eq!(headers["traceparent"], "00-1-2-01");
    assert_eq!(headers["x-passport"], format!("one {}", body.len()));
    assert_eq!(headers["content-type"], "application/json");
    let left: u64 = headers["x-deadline-ms"].to_str().unwrap().parse().unwrap();
    assert!(left > 1_000 && left <= 60_000);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["variables"], json!({"x": true}));
}

const LIVE: &str = "subscription { ticks { x } }";

#[tokio::test]
async fn each_event_of_a_subscription_is_a_response() {
    let fake = Fake::new("one", json!({"subscription": {"ticks": [{"x": "1"}, null, {"x": "3"}]}}));
    let fake = Arc::new(fake);
    for engine in [local(&one(), &[&fake]), remote(&one(), &[&fake]).await] {
        let operation = engine.prepare(LIVE, None, &|_| Ok(())).unwrap();
        let events = engine.subscribe(&operation, object(Value::Null), Arc::default());
        let events: Vec<String> =
            events.map(|event| String::from_utf8(event.into_body().to_vec()).unwrap()).collect().await;
        assert_eq!(
            events,
            [
                r#"{"data":{"ticks":{"x":"1"}}}"#,
                r#"{"data":{"ticks":null}}"#,
                r#"{"data":{"ticks":{"x":"3"}}}"#
            ]
        );
    }
}

#[tokio::test]
async fn events_are_joined_with_other_subgraphs() {
    let schema = supergraph(&[
        (
            "live",
            r#"type Query { x: Int } type Subscription { changed: T! } type T @key(fields: "id") { id: ID! }"#,
        ),
        ("names", r#"type T @key(fields: "id") { id: ID! name: String }"#),
    ]);
    let ids = json!([{"__typename": "T", "id": "1"}, {"__typename": "T", "id": "2"}]);
    let live = Arc::new(Fake::new("live", json!({"subscription": {"changed": ids}})));
    let names = Fake::new("names", json!({})).entities(|representation| {
        json!({"__typename": "T", "name": format!("n{}", representation["id"].as_str().unwrap())})
    });
    let names = Arc::new(names);
    let engine = remote(&schema, &[&live, &names]).await;
    let operation = engine.prepare("subscription { changed { name } }", None, &|_| Ok(())).unwrap();
    // The deadline is that of the opening; events come after it.
    let deadline = Some(tokio::time::Instant::now() + std::time::Duration::from_secs(60));
    let context = Arc::new(RequestContext { deadline, ..RequestContext::default() });
    let events = engine.subscribe(&operation, object(Value::Null), context);
    let events: Vec<Value> =
        events.map(|event| serde_json::from_slice(event.body()).unwrap()).collect().await;
    let event = |name: &str| json!({"data": {"changed": {"name": name}}});
    assert_eq!(events, [event("n1"), event("n2")]);
}

#[tokio::test]
async fn a_subscription_that_cannot_be_opened_says_why() {
    let urls = [
        (fixed(StatusCode::BAD_GATEWAY, "text/plain", "").await, "SUBGRAPH_UNAVAILABLE"),
        (fixed(StatusCode::OK, "text/plain", "").await, "INTERNAL"),
    ];
    for (url, code) in urls {
        let engine = plain(url);
        let operation = engine.prepare(LIVE, None, &|_| Ok(())).unwrap();
        let mut events = engine.subscribe(&operation, object(Value::Null), Arc::default());
        let event: Value = serde_json::from_slice(events.next().await.unwrap().body()).unwrap();
        assert_eq!(event["errors"][0]["extensions"]["code"], code);
        assert!(events.next().await.is_none());
    }
}

/// An engine that joins calls, over a subgraph that counts them and answers once it is let.
async fn joining() -> (Engine, Arc<AtomicUsize>, Arc<Semaphore>, mpsc::UnboundedReceiver<()>) {
    let count = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Semaphore::new(0));
    let (tell, told) = mpsc::unbounded_channel();
    let (counting, waiting) = (count.clone(), gate.clone());
    let url = serve(move |_| {
        let (count, gate, tell) = (counting.clone(), waiting.clone(), tell.clone());
        async move {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            tell.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            answer("application/json", format!("{{\"data\":{{\"a\":{number}}}}}"))
        }
    })
    .await;
    let options = EngineOptions { dedupe: true, ..EngineOptions::default() };
    (over(url, options, HttpOptions::default()), count, gate, told)
}

fn audience(name: &str) -> RequestContext {
    RequestContext { audience: Some(name.as_bytes().into()), ..RequestContext::default() }
}

#[tokio::test]
async fn identical_queries_of_one_audience_are_sent_once() {
    let (engine, count, gate, mut told) = joining().await;
    let (ann, bob, nobody) = (audience("ann"), audience("bob"), RequestContext::default());
    let run = |context| text(&engine, "{ a }", Value::Null, context);
    let letting = async {
        for _ in 0..4 {
            told.recv().await.unwrap();
        }
        gate.add_permits(4);
    };
    let (first, second, ..) =
        tokio::join!(run(&ann), run(&ann), run(&bob), run(&nobody), run(&nobody), letting);
    assert_eq!(first, second);
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn one_that_hangs_up_does_not_spoil_a_joined_call() {
    let (engine, count, gate, mut told) = joining().await;
    let ann = audience("ann");
    let mut first = Box::pin(text(&engine, "{ a }", Value::Null, &ann));
    let second = text(&engine, "{ a }", Value::Null, &ann);
    // The first one sends the call and goes away while it is in flight.
    tokio::select! {
        _ = &mut first => panic!("the gate is closed"),
        _ = told.recv() => {}
    }
    let letting = async {
        drop(first);
        gate.add_permits(2);
    };
    let (second, ()) = tokio::join!(second, letting);
    assert_eq!(second, r#"{"data":{"a":1}}"#);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_shop_answers_the_same_in_process_and_over_http() {
    let fakes = [Arc::new(shop::products()), Arc::new(shop::inventory()), Arc::new(shop::reviews())];
    let fakes: Vec<&Arc<Fake>> = fakes.iter().collect();
    let (near, far) = (local(&shop::schema(), &fakes), remote(&shop::schema(), &fakes).await);
    for query in [
        "{ products { id sku { code } name size { w h } kind meta tags price stock shipping place { name } rating } }",
        "{ media { ... on Book { id copies } __typename } latest { body of { id reviews { author { name } } } } }",
        "{ top { stock } again: top { stock name } node(id: \"1\") { __typename id } }",
    ] {
        assert_eq!(run(&near, query).await, run(&far, query).await);
    }
}
