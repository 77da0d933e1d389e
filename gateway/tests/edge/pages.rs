//! Everything that is served beside GraphQL: pages, health, metrics, CORS, and what is not there.

use axum::http::StatusCode;
use gateway::{Cors, Graphiql};
use serde_json::json;

use crate::door::{Door, post, request};

const BROWSER: [(&str, &str); 2] = [
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-encoding", "gzip, br"),
];

#[tokio::test]
async fn a_browser_gets_graphiql_at_both_addresses() {
    let door = Door::new();
    for uri in ["/graphiql", "/graphiql/", "/graphql", "/graphql?query=%7Bhello%7D"] {
        let reply = door.get(uri, &BROWSER).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "text/html"), "{uri}");
        assert_eq!(reply.header("content-encoding"), "gzip");
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("http"), "nothing from elsewhere: {policy}");
    }
}

#[tokio::test]
async fn the_page_and_what_it_loads_are_in_the_binary() {
    let door = Door::new();
    let page = door.get("/graphiql", &[("accept", "text/html")]).await;
    assert_eq!(page.header("content-encoding"), "", "who does not take gzip gets it plain");
    let assets: Vec<&str> = page.text.split('"').filter(|text| text.starts_with("/graphiql/")).collect();
    assert!(assets.len() >= 3, "script, style and icon: {assets:?}");
    assert!(!page.text.contains("https://"), "nothing from elsewhere");
    for asset in assets {
        let reply = door.get(asset, &BROWSER).await;
        assert_eq!(reply.status, 200, "{asset}");
        assert!(asset.ends_with("svg") || reply.header("cache-control").contains("immutable"), "{asset}");
        let etag = reply.header("etag").to_owned();
        let again = door.get(asset, &[("if-none-match", &etag)]).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{asset}");
    }
    for missing in ["/graphiql/nothing.js", "/graphiql/../Cargo.toml", "/graphiql/assets/"] {
        assert_eq!(
            door.get(missing, &BROWSER[..1]).await.refusal(),
            (404, "NOT_FOUND".to_owned()),
            "{missing}"
        );
    }
}

#[tokio::test]
async fn the_page_learns_its_tabs_from_the_settings() {
    let door = Door::with(|config| {
        config.graphiql = Some(Graphiql {
            title: "Shop".into(),
            tabs: vec![json!({ "query": "{ hello }" })],
            ..Graphiql::default()
        });
    });
    let tabs = door.get("/graphiql/tabs.json", &[]).await.json();
    assert_eq!(tabs["title"], "Shop");
    assert_eq!(tabs["tabs"], json!([{ "query": "{ hello }" }]));
    assert_eq!(tabs["endpoint"], "/graphql");
}

#[tokio::test]
async fn without_graphiql_there_is_no_page() {
    let door = Door::with(|config| config.graphiql = None);
    assert_eq!(door.get("/graphiql", &BROWSER[..1]).await.refusal(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(door.get("/graphiql/tabs.json", &[]).await.refusal(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(door.get("/graphql", &BROWSER[..1]).await.refusal().0, 403);
}

#[tokio::test]
async fn health_is_told_and_readiness_ends_with_the_drain() {
    let door = Door::new();
    for uri in ["/health", "/ready"] {
        assert_eq!(door.get(uri, &[]).await.json(), json!({ "status": "ok" }), "{uri}");
    }
    door.tasks.stop();
    assert_eq!(door.get("/health", &[]).await.status, 200);
    assert_eq!(door.get("/ready", &[]).await.status, 503);
}

#[tokio::test]
async fn metrics_count_operations_by_name_and_outcome() {
    let _ = runtime::telemetry::metrics();
    let door = Door::new();
    door.query("query CountMe { hello }").await;
    door.query("query CountMe { hello broken }").await;
    door.query("{").await;
    let reply = door.get("/metrics", &[]).await;
    assert!(reply.header("content-type").starts_with("text/plain"));
    for line in [
        r#"gateway_requests_total{operation="CountMe",status="complete"} 1"#,
        r#"gateway_requests_total{operation="CountMe",status="partial"} 1"#,
        r#"gateway_request_duration_seconds_count{operation="CountMe"} 2"#,
        r#"gateway_rejections_total{code="GRAPHQL_PARSE_FAILED"}"#,
        r#"gateway_plan_cache_total{outcome="miss"}"#,
        r#"gateway_fetches_total{subgraph="shop",status="ok"}"#,
    ] {
        assert!(reply.text.contains(line), "{line} is not in\n{}", reply.text);
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_json() {
    let door = Door::new();
    for uri in ["/", "/graphq", "/.env", "/_entities", "/graphql/x"] {
        assert_eq!(door.get(uri, &[]).await.refusal(), (404, "NOT_FOUND".to_owned()), "{uri}");
    }
    let reply = door.send(request("POST", "/health", &[], "")).await;
    assert_eq!(reply.refusal(), (405, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let door = Door::new();
    let body = json!({ "query": "{ hello }" }).to_string();
    let reply = door.send(post(&[("x-request-id", "abc-1")], &body)).await;
    assert_eq!(reply.header("x-request-id"), "abc-1");
    let reply = door.send(post(&[("x-request-id", "a b<script>")], &body)).await;
    assert_eq!(reply.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_ask_and_read() {
    let preflight = |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "content-type,authorization,apollographql-client-name,x-currency",
            ),
        ];
        request("OPTIONS", "/graphql", &headers, "")
    };
    let shop = Door::with(|config| config.cors = Cors::Origins(vec!["https://shop.example".into()]));
    let reply = shop.send(preflight("https://shop.example")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example");
    assert!(reply.header("access-control-allow-headers").contains("apollographql-client-name"));
    let reply = shop.send(preflight("https://evil.example")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
    let anyone = Door::new();
    assert_eq!(
        anyone.send(preflight("https://any.example")).await.header("access-control-allow-origin"),
        "*"
    );
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let door = Door::new();
    let body = json!({ "query": "{ __schema { types { name description } } }" }).to_string();
    let reply = door.send(post(&[("accept-encoding", "gzip")], &body)).await;
    assert_eq!(reply.header("content-encoding"), "gzip");
    assert_eq!(door.send(post(&[], &body)).await.header("content-encoding"), "");
}

#[tokio::test]
async fn how_an_answer_came_about_is_told_to_those_who_may_ask() {
    let body = json!({ "query": "query Hello { hello }" }).to_string();
    let ask = || post(&[("x-techpotli-debug", "plan")], &body);
    let reply = Door::new().send(ask()).await.json();
    let debug = &reply["extensions"]["debug"];
    assert_eq!((&debug["operation"], &debug["stages"]), (&json!("Hello"), &json!(1)));
    assert_eq!(debug["fetches"][0]["subgraph"], "shop");
    assert_eq!(debug["fetches"][0]["sql"], 1);
    assert_eq!(debug["fetches"][0]["statements"], json!(["SELECT 1"]));
    assert!(debug["plan"][0].as_str().unwrap().contains("1 fetch in 1 stage"), "{debug}");
    assert!(Door::new().query("{ hello }").await.json().get("extensions").is_none());
    let closed = Door::with(|config| config.debug = false);
    assert!(closed.send(ask()).await.json().get("extensions").is_none());
}
