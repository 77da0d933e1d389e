//! When fetches run: as soon as their inputs are there, mutations one after the other, until the deadline.

use std::sync::Arc;

use engine::{Engine, RequestContext};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::fake::Fake;
use crate::shop;
use crate::support::{json, local, object, supergraph, text};

/// The engine of the shop's test schema, with `calls` hearing of each call that begins.
fn watched(gates: [Option<Arc<Semaphore>>; 3]) -> (Engine, mpsc::UnboundedReceiver<String>) {
    let (tell, calls) = mpsc::unbounded_channel();
    let fakes = [shop::products(), shop::inventory(), shop::reviews()];
    let fakes: Vec<Arc<Fake>> = fakes
        .into_iter()
        .zip(gates)
        .map(|(fake, gate)| {
            let fake = fake.telling(tell.clone());
            Arc::new(match gate {
                Some(gate) => fake.gated(gate),
                None => fake,
            })
        })
        .collect();
    (local(&shop::schema(), &fakes.iter().collect::<Vec<_>>()), calls)
}

fn closed() -> Option<Arc<Semaphore>> {
    Some(Arc::new(Semaphore::new(0)))
}

#[tokio::test]
async fn a_fetch_starts_when_its_own_inputs_are_there_whatever_else_is_slow() {
    // `latest` of reviews is held; `stock` of inventory depends on products alone and must not wait for it.
    let held = closed();
    let (engine, mut calls) = watched([None, None, held.clone()]);
    let running = json(&engine, "{ latest { body } top { stock } }");
    let watching = async {
        let mut seen = Vec::new();
        while !seen.contains(&"inventory".to_owned()) {
            seen.push(calls.recv().await.unwrap());
        }
        held.unwrap().add_permits(1);
        seen
    };
    let (answer, seen) = tokio::join!(running, watching);
    assert_eq!(seen.len(), 3);
    assert_eq!(answer["data"]["top"]["stock"], 5);
    assert_eq!(answer["data"]["latest"][0]["body"], "about 2");
}

#[tokio::test]
async fn answers_that_come_out_of_order_land_where_they_belong() {
    let query = "{ products { id stock rating } }";
    let (engine, _calls) = watched([None, None, None]);
    let expected = json(&engine, query).await;
    assert_eq!(expected["data"]["products"][1], json!({"id": "2", "stock": 5, "rating": 4.5}));
    for late in 1..3 {
        let held = closed();
        let mut gates = [None, None, None];
        gates[late] = held.clone();
        let (engine, mut calls) = watched(gates);
        let other = ["", "reviews", "inventory"][late];
        let watching = async {
            while calls.recv().await.unwrap() != other {}
            held.unwrap().add_permits(1);
        };
        let (answer, ()) = tokio::join!(json(&engine, query), watching);
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn what_follows_from_one_mutation_comes_before_the_next() {
    let (engine, mut calls) = watched([None, None, None]);
    let operation = r#"mutation { a: review(id: "1") { of { stock } } b: review(id: "2") { of { name } } }"#;
    let operation = engine.prepare(operation, None, &|_| Ok(())).unwrap();
    let response = engine.execute(&operation, object(Value::Null), &RequestContext::default()).await;
    assert_eq!(response.error_count(), 0);
    drop((engine, response));
    let mut seen = Vec::new();
    while let Ok(call) = calls.try_recv() {
        seen.push(call);
    }
    assert_eq!(seen, ["reviews", "inventory", "reviews", "products"]);
}

#[tokio::test]
async fn what_is_not_there_at_the_deadline_is_null_with_a_coded_error() {
    let (engine, _calls) = watched([None, closed(), None]);
    // It has come already; what has landed by then counts.
    let context = RequestContext { deadline: Some(Instant::now()), ..RequestContext::default() };
    let answer = text(&engine, "{ top { name stock } }", Value::Null, &context).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["data"]["top"], json!({"name": "Product \"1\" é\n", "stock": null}));
    assert_eq!(answer["errors"][0]["path"], json!(["top", "stock"]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "DEADLINE_EXCEEDED");
    assert_eq!(answer["errors"][0]["extensions"]["retryable"], true);
}

#[tokio::test]
async fn the_trace_tells_what_was_fetched() {
    let (engine, _calls) = watched([None, None, None]);
    let operation = engine.prepare("{ products { stock } }", None, &|_| Ok(())).unwrap();
    let context = RequestContext { trace: true, ..RequestContext::default() };
    let response = engine.execute(&operation, object(Value::Null), &context).await;
    let trace = response.trace().unwrap();
    assert_eq!(trace.stages, 2);
    let fetches: Vec<(&str, usize, u16)> =
        trace.fetches.iter().map(|it| (it.subgraph.as_str(), it.entities, it.status)).collect();
    assert_eq!(fetches, [("products", 0, 200), ("inventory", 2, 200)]);
    assert!(trace.fetches[1].sent_bytes > 0 && trace.fetches[1].received_bytes > 0);
}
#[tokio::test]
async fn two_fetches_add_to_one_object_that_rows_share() {
    // Both rows of `all` are one entity, and `size` of it gets fields from two subgraphs.
    let schema = supergraph(&[
        ("a", r#"type Query { all: [T!]! } type T @key(fields: "id") { id: ID! }"#),
        (
            "b",
            r#"type T @key(fields: "id") { id: ID! size: Size @shareable } type Size { w: Int @shareable x: Int }"#,
        ),
        (
            "c",
            r#"type T @key(fields: "id") { id: ID! size: Size @shareable } type Size { w: Int @shareable h: Int }"#,
        ),
    ]);
    let one = json!({"__typename": "T", "id": "1"});
    let a = Arc::new(Fake::new("a", json!({"query": {"all": [one, one]}})));
    let sized = |_: &Value| json!({"__typename": "T", "id": "1", "size": {"x": 1, "h": 2}});
    let b = Arc::new(Fake::new("b", json!({})).entities(sized));
    let c = Arc::new(Fake::new("c", json!({})).entities(sized));
    let answer = json(&local(&schema, &[&a, &b, &c]), "{ all { size { x h } } }").await;
    assert_eq!(answer, json!({"data": {"all": [{"size": {"x": 1, "h": 2}}, {"size": {"x": 1, "h": 2}}]}}));
}
