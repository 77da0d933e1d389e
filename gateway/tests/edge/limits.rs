//! Documents that ask for too much are refused before anything is planned or fetched.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use serde_json::json;

use crate::door::{Door, post};

const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";
const UNPARSED: &str = "GRAPHQL_PARSE_FAILED";

fn nested(open: &str, depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", open.repeat(depth), "}".repeat(depth))
}

fn chain(length: usize, last: &str) -> String {
    let mut text = String::from("{ ...F0 }");
    for at in 0..length {
        let _ = write!(text, "fragment F{at} on Query{{...F{}}}", at + 1);
    }
    text + &format!(" fragment F{length} on Query {{ {last} }}")
}

fn bomb(levels: usize) -> String {
    let mut text = String::from("{ product { ...F0 } }");
    for at in 0..levels {
        let _ = write!(text, " fragment F{at} on Product {{ ...F{next} ...F{next} }}", next = at + 1);
    }
    text + &format!(" fragment F{levels} on Product {{ id }}")
}

#[tokio::test]
async fn every_limit_refuses_with_its_code_and_asks_no_subgraph() {
    let door = Door::new();
    for (what, document, code) in [
        ("depth", format!("{{ product {{ {} }} }}", nested("parent {", 12, "id")), INVALID),
        (
            "depth in fragments",
            format!("{{ ...F }} fragment F on Query {{ product {{ {} }} }}", nested("parent {", 12, "id")),
            INVALID,
        ),
        (
            "aliases",
            format!("{{ product {{ {} }} }}", (0..31).map(|n| format!("a{n}: id ")).collect::<String>()),
            INVALID,
        ),
        ("root fields", format!("{{ {} }}", "hello ".repeat(21)), INVALID),
        ("directives", format!("{{ hello {} }}", "@include(if: true) ".repeat(51)), INVALID),
        ("selections", bomb(14), INVALID),
        ("fragment bomb", bomb(30), INVALID),
        ("long fragment chain", chain(300, "hello"), INVALID),
        ("longer fragment chain", chain(7_500, "hello"), UNPARSED),
        (
            "cycle",
            "{ ...A } fragment A on Query { hello ...B } fragment B on Query { hello ...A }".into(),
            INVALID,
        ),
        (
            "cycle with directives",
            "{ ...A } fragment A on Query { ...A @include(if: true) hello }".into(),
            INVALID,
        ),
        (
            "aliased spreads",
            format!("{{ {} }} fragment P on Query {{ a: product {{ x: id y: title }} }}", "...P ".repeat(20)),
            INVALID,
        ),
        (
            "introspection in circles",
            format!(
                "{{ __schema {{ types {{ {} }} }} }}",
                nested("fields { type {", 3, "name") + &"}".repeat(3)
            ),
            INVALID,
        ),
        (
            "hidden by a name",
            format!("query __schema {{ product {{ {} }} }}", nested("parent {", 12, "id")),
            INVALID,
        ),
        ("tokens", format!("{{ product {{ {} }} }}", "id ".repeat(5_000)), UNPARSED),
        ("recursion", nested("{ a ", 100, "{ a }"), UNPARSED),
        ("deep literal", format!("{{ echo(text: {}) }}", "[".repeat(100_000)), UNPARSED),
        ("many operations", (0..10_000).map(|n| format!("query Q{n} {{ hello }} ")).collect(), UNPARSED),
        ("cost", "{ products(first: 100) { similar(first: 100) { id } } }".into(), "COST_EXCEEDED"),
        (
            "cost without sizes",
            format!("{{ products {{ {} }} }}", nested("similar {", 3, "id")),
            "COST_EXCEEDED",
        ),
    ] {
        let reply = door.query(&document).await;
        assert_eq!(reply.refusal(), (400, code.to_owned()), "{what}: {}", reply.text);
    }
    assert_eq!(door.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_just_within_the_limits_is_answered() {
    let door = Door::new();
    for (what, document) in [
        ("depth", format!("{{ product {{ {} }} }}", nested("parent {", 10, "id"))),
        (
            "aliases",
            format!(
                "{{ product {{ {} }} }}",
                (0..30).map(|n| format!("a{n}: parent {{ id }} ")).collect::<String>()
            ),
        ),
        ("root fields", format!("{{ {} }}", "hello ".repeat(20))),
        ("directives", format!("{{ {} }}", "hello @include(if: true) ".repeat(20))),
        ("same field often", format!("{{ product {{ {} }} }}", "id title ".repeat(1_200))),
        ("cost", "{ products(first: 100) { similar(first: 48) { id } } }".into()),
    ] {
        let reply = door.query(&document).await;
        let body = reply.json();
        assert_eq!(reply.status, 200, "{what}: {}", reply.text);
        assert!(body.get("errors").is_none(), "{what}: {}", reply.text);
    }
}

#[tokio::test]
async fn sizes_in_variables_count() {
    let door = Door::new();
    let ask = async |n: u64| {
        let query = "query($n: Int!) { products(first: $n) { similar(first: 100) { id } } }";
        door.send(post(&[], &json!({ "query": query, "variables": { "n": n } }).to_string())).await
    };
    assert_eq!(ask(10).await.status, 200);
    assert_eq!(ask(100).await.refusal(), (400, "COST_EXCEEDED".to_owned()));
}

#[tokio::test]
async fn a_body_past_its_bound_is_refused() {
    let door = Door::new();
    let pad = |bytes: usize| {
        json!({ "query": "{ hello }", "extensions": { "pad": "x".repeat(bytes) } }).to_string()
    };
    assert_eq!(door.send(post(&[], &pad(200 * 1024))).await.status, 200);
    assert_eq!(door.send(post(&[], &pad(256 * 1024))).await.refusal(), (413, "BAD_USER_INPUT".to_owned()));
    let long = format!("/graphql?query={}", "a".repeat(300 * 1024 / 8));
    let tight = Door::with(|config| config.limits.body_bytes = 1_024);
    assert_eq!(tight.get(&long, &[("x-graphql-csrf", "1")]).await.refusal().0, 414);
}

#[tokio::test]
async fn deep_variables_are_refused() {
    let door = Door::new();
    let body = format!("{{\"query\":\"{{ hello }}\",\"variables\":{{\"a\":{}", "[".repeat(100_000));
    assert_eq!(door.send(post(&[], &body)).await.refusal(), (400, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn an_answer_names_five_errors_at_most() {
    let door = Door::new();
    let document = format!("{{ product {{ {} }} }}", (0..50).map(|n| format!("no{n} ")).collect::<String>());
    let reply = door.query(&document).await;
    assert_eq!(reply.json()["errors"].as_array().unwrap().len(), 5);
    let huge = door.query(&format!("{{ echo(text: [{}]) }}", "1 ".repeat(2_000))).await;
    assert_eq!(huge.refusal(), (400, INVALID.to_owned()));
    assert!(huge.text.len() < 1_500, "what is wrong is not quoted at length: {}", huge.text.len());
    let misspelt = door.query("{ product { titel } }").await;
    assert!(!misspelt.text.contains("title"), "no suggestion gives a name away: {}", misspelt.text);
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let document = "{ __schema { queryType { name } } __type(name: \"Product\") { name } }";
    let open = Door::new();
    assert_eq!(open.query(document).await.json()["data"]["__schema"]["queryType"]["name"], "Query");
    let closed = Door::with(|config| config.introspection = false);
    let reply = closed.query(document).await;
    assert!(!reply.text.contains("Product"), "{}", reply.text);
    assert!(reply.json()["errors"][0]["extensions"]["code"].is_string());
    assert_eq!(closed.query("{ __typename }").await.json()["data"]["__typename"], "Query");
}

#[tokio::test]
async fn limits_are_settings() {
    let door = Door::with(|config| {
        config.limits.depth = 1;
        config.limits.cost = 0;
    });
    assert_eq!(door.query("{ hello }").await.status, 200);
    assert_eq!(door.query("{ product { id } }").await.refusal().1, INVALID);
    let door = Door::with(|config| config.limits.cost = 0);
    assert_eq!(door.query("{ product { id } }").await.refusal().1, "COST_EXCEEDED");
}
