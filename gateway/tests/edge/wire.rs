//! GraphQL over HTTP: which status, in which media type, for what.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use engine::Subgraphs;
use flate2::Compression;
use flate2::write::GzEncoder;
use gateway::GatewayConfig;
use serde_json::json;

use crate::door::{Door, MODERN, engine, post, request};
use crate::shop::{SDL, Shop};

const LEGACY: &str = "application/json";

#[tokio::test]
async fn an_operation_is_answered_in_the_type_that_the_client_accepts() {
    let door = Door::new();
    let body = json!({ "query": "{ hello }" }).to_string();
    for (accept, content_type) in [
        (MODERN, "application/graphql-response+json; charset=utf-8"),
        (LEGACY, "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("text/event-stream", "text/event-stream; charset=utf-8"),
    ] {
        let reply = door.send(post(&[("accept", accept)], &body)).await;
        assert_eq!(reply.status, 200, "{accept}");
        assert_eq!(reply.header("content-type"), content_type, "{accept}");
        assert!(reply.text.contains(r#"{"data":{"hello":"world"}}"#), "{accept}: {}", reply.text);
        assert!(reply.header("vary").contains("accept"));
    }
}

#[tokio::test]
async fn a_request_error_has_a_status_only_for_those_who_can_tell_it_apart() {
    let door = Door::new();
    for (body, code) in [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nobody }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ ...A } fragment A on Query { ...A }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ hello }", "operationName": "Other" }), "BAD_USER_INPUT"),
        (json!({ "query": "query A { hello } query B { hello }" }), "BAD_USER_INPUT"),
        (json!({ "query": "query($t: String!) { echo(text: $t) }" }), "BAD_USER_INPUT"),
        (
            json!({ "query": "query($t: String!) { echo(text: $t) }", "variables": { "t": 1 } }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "query($n: Int) { echo(text: \"a\", n: $n) }", "variables": { "n": "1" } }),
            "BAD_USER_INPUT",
        ),
    ] {
        let body = body.to_string();
        let modern = door.send(post(&[], &body)).await;
        assert_eq!(modern.refusal(), (400, code.to_owned()), "{body}");
        let legacy = door.send(post(&[("accept", LEGACY)], &body)).await;
        assert_eq!(legacy.refusal(), (200, code.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn bad_http_is_refused_whatever_the_client_accepts() {
    let door = Door::new();
    let fine = json!({ "query": "{ hello }" }).to_string();
    for accept in [MODERN, LEGACY] {
        for (headers, body, status) in [
            (vec![], "{", 400),
            (vec![], "", 400),
            (vec![], "[]", 400),
            (vec![], r#"[{"query":"{ hello }"}]"#, 400),
            (vec![], r#"{"query":7}"#, 400),
            (vec![], r#"{"variables":{}}"#, 400),
            (vec![], r#"{"query":"{ hello }","variables":[1]}"#, 400),
            (vec![("content-type", "text/plain")], &*fine, 415),
            (vec![("content-type", "application/x-www-form-urlencoded")], &*fine, 415),
            (vec![("content-type", "multipart/form-data; boundary=x")], &*fine, 415),
            (vec![("content-type", "application/json; charset=utf-7")], &*fine, 415),
            (vec![("content-encoding", "br")], &*fine, 415),
        ] {
            let mut all = vec![("accept", accept)];
            all.extend(headers);
            let reply = door.send(post(&all, body)).await;
            assert_eq!(reply.refusal(), (status, "BAD_USER_INPUT".to_owned()), "{all:?} {body}");
        }
    }
    let reply = door.send(post(&[("accept", "text/html")], &fine)).await;
    assert_eq!(reply.refusal(), (406, "BAD_USER_INPUT".to_owned()));
    for method in ["PUT", "DELETE", "PATCH"] {
        let reply = door.send(request(method, "/graphql", &[], "")).await;
        assert_eq!(reply.refusal(), (405, "BAD_USER_INPUT".to_owned()), "{method}");
        assert!(reply.header("allow").contains("POST"));
    }
}

#[tokio::test]
async fn errors_beside_data_do_not_change_the_status() {
    let door = Door::new();
    for accept in [MODERN, LEGACY] {
        let body = json!({ "query": "{ hello broken }" }).to_string();
        let reply = door.send(post(&[("accept", accept)], &body)).await;
        assert_eq!(reply.status, 200);
        let body = reply.json();
        assert_eq!(body["data"], json!({ "hello": "world", "broken": null }));
        assert!(body["errors"][0]["extensions"]["code"].is_string());
        assert_eq!(body["errors"][0]["extensions"]["requestId"], reply.header("x-request-id"));
        assert!(!reply.text.contains("hunter2"), "a message without a code is masked: {}", reply.text);
    }
}

#[tokio::test]
async fn a_query_can_be_got_and_a_mutation_cannot() {
    let door = Door::new();
    let accept = [("accept", LEGACY)];
    let reply = door.get("/graphql?query=%7Bhello%7D", &accept).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "data": { "hello": "world" } })));
    let uri = "/graphql?query=query(%24t%3AString!)%7Becho(text%3A%24t)%7D&variables=%7B%22t%22%3A%22x%22%7D";
    assert_eq!(door.get(uri, &accept).await.json()["data"]["echo"], "x");

    let reply = door.get("/graphql?query=mutation%7Badd(n%3A1)%7D", &accept).await;
    assert_eq!(reply.refusal(), (405, "BAD_USER_INPUT".to_owned()));
    assert_eq!(reply.header("allow"), "POST");
    assert_eq!(door.calls.load(std::sync::atomic::Ordering::SeqCst), 2, "the mutation was not run");

    let reply = door.get("/graphql", &accept).await;
    assert_eq!(reply.refusal(), (400, "BAD_USER_INPUT".to_owned()));
    let reply = door.get("/graphql?query=%7Bhello%7D&variables=1", &accept).await;
    assert_eq!(reply.refusal(), (400, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn a_get_that_a_foreign_page_may_have_caused_is_refused() {
    let door = Door::new();
    let uri = "/graphql?query=%7Bhello%7D";
    for (headers, passes) in [
        (vec![("accept", "*/*")], false),
        (vec![("accept", "*/*"), ("sec-fetch-site", "cross-site")], false),
        (vec![("accept", "*/*"), ("sec-fetch-site", "same-origin")], true),
        (vec![("accept", "*/*"), ("x-graphql-csrf", "1")], true),
    ] {
        let reply = door.get(uri, &headers).await;
        if passes {
            assert_eq!(reply.status, 200, "{headers:?}");
        } else {
            assert_eq!(reply.refusal(), (403, "FORBIDDEN".to_owned()), "{headers:?}");
        }
    }
    let lax = Door::with(|config| config.csrf = false);
    assert_eq!(lax.get(uri, &[]).await.status, 200);
}

#[tokio::test]
async fn a_subscription_needs_a_way_that_carries_events() {
    let door = Door::new();
    let reply = door.query("subscription { ticks }").await;
    assert_eq!(reply.refusal(), (406, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn a_persisted_query_is_asked_for_in_full() {
    let door = Door::new();
    let body =
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "abc" } } }).to_string();
    let reply = door.send(post(&[], &body)).await;
    assert_eq!(reply.refusal(), (400, "PERSISTED_QUERY_NOT_SUPPORTED".to_owned()));
    assert_eq!(reply.json()["errors"][0]["message"], "PersistedQueryNotSupported");
}

#[tokio::test]
async fn a_body_may_be_gzipped_and_counts_inflated() {
    let door = Door::with(|config| config.limits.body_bytes = 1_000);
    let send = async |json: String| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(json.as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        assert!(packed.len() < 1_000);
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("content-encoding", "gzip");
        door.send(request.body(Body::from(packed)).unwrap()).await
    };
    let reply = send(json!({ "query": "{ hello }" }).to_string()).await;
    assert_eq!(reply.json(), json!({ "data": { "hello": "world" } }));
    let bomb = json!({ "query": "{ hello }", "extensions": { "pad": " ".repeat(500_000) } }).to_string();
    assert_eq!(send(bomb).await.refusal(), (413, "BAD_USER_INPUT".to_owned()));

    let broken = post(&[("content-encoding", "gzip")], "this is not gzip");
    assert_eq!(door.send(broken).await.refusal(), (400, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn what_takes_too_long_is_null_with_a_code() {
    let door = Door::with(|config| config.deadline = std::time::Duration::from_millis(20));
    let reply = door.query("{ slow }").await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert_eq!(body["data"], json!({ "slow": null }));
    assert_eq!(body["errors"][0]["extensions"]["code"], "DEADLINE_EXCEEDED");
    assert_eq!(body["errors"][0]["extensions"]["retryable"], true);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let door = Door::with(|config| config.deadline = std::time::Duration::from_millis(20));
    let trickle = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let request = Request::post("/graphql").header("content-type", "application/json").body(trickle).unwrap();
    assert_eq!(door.send(request).await.refusal(), (408, "DEADLINE_EXCEEDED".to_owned()));
}

#[tokio::test]
async fn a_panic_of_a_subgraph_costs_one_field() {
    let door = Door::new();
    let reply = door.query("{ panics }").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["data"]), (200, &json!({ "panics": null })));
    assert!(reply.json()["errors"][0]["extensions"]["code"].is_string());
    assert!(!reply.text.contains("has a bug"), "the panic is not shown: {}", reply.text);
    assert_eq!(door.query("{ hello }").await.status, 200);
}

#[tokio::test]
async fn a_newer_supergraph_takes_over_without_a_restart() {
    let door = Door::new();
    assert_eq!(door.query("{ whatIsNew }").await.refusal().1, "GRAPHQL_VALIDATION_FAILED");
    let newer = SDL.replace("hello: String", "hello: String whatIsNew: String");
    let subgraphs = Subgraphs::new().with_local("shop", Arc::new(Shop::default()));
    door.gateway.replace_engine(engine(&newer, subgraphs, &GatewayConfig::default()));
    assert_eq!(
        door.query("{ whatIsNew hello }").await.json()["data"],
        json!({ "whatIsNew": null, "hello": "world" })
    );
}

#[tokio::test]
async fn an_upgrade_to_something_else_is_passed_over() {
    let door = Door::new();
    let headers = [("accept", LEGACY), ("connection", "upgrade, http2-settings"), ("upgrade", "h2c")];
    assert_eq!(door.get("/graphql?query=%7Bhello%7D", &headers).await.json()["data"]["hello"], "world");
}
