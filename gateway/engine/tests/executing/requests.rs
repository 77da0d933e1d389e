//! What is refused before anything is fetched: documents, variables, fields that a caller may not see.

use std::sync::Arc;

use engine::{Engine, EngineOptions, ErrorCode, Grant, PrepareError, Refusal, RequestContext, Subgraphs};
use serde_json::{Value, json};
use supergraph::Supergraph;

use crate::fake::Fake;
use crate::support::{json, local, object, response, supergraph, text};

const INPUTS: &str = r#"
    type Query { echo(a: Int, b: [ID!], c: Color, d: Filter, e: Any, f: Float! = 1.5): String }
    enum Color { RED GREEN }
    input Filter { name: String! = "x", max: Int, inner: Filter }
    scalar Any
"#;

fn inputs() -> (Arc<Fake>, Engine) {
    let fake = Arc::new(Fake::new("one", json!({"query": {"echo": "ok"}})));
    let engine = local(&supergraph(&[("one", INPUTS)]), &[&fake]);
    (fake, engine)
}

#[tokio::test]
async fn variables_are_coerced_to_their_declared_types() {
    let cases = [
        ("Int", "a", json!(7), json!(7)),
        ("Int", "a", json!(7.0), json!(7)),
        ("Int = 3", "a", Value::Null, Value::Null),
        ("[ID!]", "b", json!(5), json!(["5"])),
        ("[ID!]", "b", json!(["x", 5]), json!(["x", "5"])),
        ("Color", "c", json!("RED"), json!("RED")),
        ("Filter", "d", json!({}), json!({"name": "x"})),
        (
            "Filter",
            "d",
            json!({"name": "y", "inner": {"max": 1}}),
            json!({"name": "y", "inner": {"name": "x", "max": 1}}),
        ),
        ("Any", "e", json!({"x": [1, null]}), json!({"x": [1, null]})),
        ("Float!", "f", json!(1), json!(1)),
    ];
    for (ty, argument, given, expected) in cases {
        let (fake, engine) = inputs();
        let query = format!("query($v: {ty}) {{ echo({argument}: $v) }}");
        let answer = text(&engine, &query, json!({"v": given}), &RequestContext::default()).await;
        assert_eq!(answer, r#"{"data":{"echo":"ok"}}"#, "{ty}");
        assert_eq!(fake.calls()[0].variables["v"], expected, "{ty}");
    }
}

#[tokio::test]
async fn a_default_takes_the_place_of_a_variable_that_is_not_given() {
    let (fake, engine) = inputs();
    text(&engine, "query($v: Int = 3) { echo(a: $v) }", json!({}), &RequestContext::default()).await;
    text(&engine, "query($v: Int) { echo(a: $v) }", json!({}), &RequestContext::default()).await;
    assert_eq!(fake.calls()[0].variables, json!({"v": 3}));
    assert_eq!(fake.calls()[1].variables, json!({}));
}

#[tokio::test]
async fn a_variable_that_does_not_fit_is_refused_before_any_fetch() {
    let cases = [
        ("Int", "a", json!(2147483648u64), "$v"),
        ("Int", "a", json!(1.5), "$v"),
        ("Int", "a", json!("1"), "$v"),
        ("[ID!]", "b", json!(["x", null]), "$v[1]"),
        ("Color", "c", json!("BLUE"), "$v"),
        ("Color", "c", json!(1), "$v"),
        ("Filter", "d", json!({"max": "x"}), "$v.max"),
        ("Filter", "d", json!({"inner": {"name": null}}), "$v.inner.name"),
        ("Filter", "d", json!({"other": 1}), "$v"),
        ("Filter", "d", json!("text"), "$v"),
        ("Float!", "f", Value::Null, "$v"),
    ];
    for (ty, argument, given, place) in cases {
        let (fake, engine) = inputs();
        let query = format!("query($v: {ty}) {{ echo({argument}: $v) }}");
        let response = response(&engine, &query, json!({"v": given}), &RequestContext::default()).await;
        assert!(!response.is_executed());
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{ty}");
        assert!(error["message"].as_str().unwrap().contains(&format!("\"{place}\"")), "{error}");
        assert!(answer.get("data").is_none() && fake.calls().is_empty());
    }
    let (_, engine) = inputs();
    let answer =
        text(&engine, "query($v: Float!) { echo(f: $v) }", json!({}), &RequestContext::default()).await;
    assert!(answer.contains("BAD_USER_INPUT"), "{answer}");
}

#[test]
fn documents_are_refused_with_places_and_codes() {
    let (_, engine) = inputs();
    let code = |query: &str, name: Option<&str>| {
        let refused = engine.prepare(query, name, &|_| Ok(())).unwrap_err();
        let errors = refused.to_graphql();
        (errors[0].code().to_owned(), errors[0].locations.len())
    };
    assert_eq!(code("{ echo", None), ("GRAPHQL_PARSE_FAILED".into(), 1));
    assert_eq!(code("{ nothing }", None), ("GRAPHQL_VALIDATION_FAILED".into(), 1));
    assert_eq!(code("query A { echo } query B { echo }", None), ("BAD_USER_INPUT".into(), 0));
    assert_eq!(code("query A { echo } query B { echo }", Some("C")), ("BAD_USER_INPUT".into(), 0));
    assert_eq!(code("fragment F on Query { echo }", None), ("BAD_USER_INPUT".into(), 0));
    let deep = format!("{}{}", "{a".repeat(100), "}".repeat(100));
    assert_eq!(code(&deep, None).0, "GRAPHQL_PARSE_FAILED");
    let many = format!("{{ {} }}", "echo ".repeat(6000));
    assert_eq!(code(&many, None).0, "GRAPHQL_PARSE_FAILED");
}

#[test]
fn the_callers_check_can_refuse_a_document_before_it_is_validated() {
    let (_, engine) = inputs();
    let refused = engine.prepare("{ nothing }", None, &|parsed| {
        assert_eq!(parsed.operation.selection_set.len(), 1);
        Err(Refusal::new(ErrorCode::CostExceeded, "too dear"))
    });
    assert!(matches!(refused, Err(PrepareError::Refused(refusal)) if refusal.code == "COST_EXCEEDED"));
}

#[test]
fn introspection_can_be_switched_off() {
    let fake = Arc::new(Fake::new("one", json!({})));
    let options = EngineOptions { introspection: false, ..EngineOptions::default() };
    let subgraphs = Subgraphs::new().with_local("one", fake);
    let engine = Engine::new(supergraph(&[("one", INPUTS)]), subgraphs, options).unwrap();
    for query in [
        "{ __schema { queryType { name } } }",
        "{ ...F } fragment F on Query { __type(name: \"A\") { name } }",
    ] {
        assert!(matches!(engine.prepare(query, None, &|_| Ok(())), Err(PrepareError::Validation(_))));
    }
    engine.prepare("{ __typename echo }", None, &|_| Ok(())).unwrap();
}

#[test]
fn a_supergraph_needs_a_transport_for_each_subgraph() {
    let engine = Engine::new(supergraph(&[("one", INPUTS)]), Subgraphs::new(), EngineOptions::default());
    assert_eq!(
        engine.unwrap_err().to_string(),
        "the supergraph names the subgraph one, for which there is no transport"
    );
}

fn guarded() -> (Arc<Supergraph>, [Arc<Fake>; 2]) {
    let accounts = r#"
        type Query { me: User @authenticated open: User! all: [User!]! }
        type User @key(fields: "id") {
            id: ID! name: String email: String @requiresScopes(scopes: [["read", "mail"], ["admin"]])
            secret: Int! @requiresScopes(scopes: [["admin"]])
        }
    "#;
    let ads = r#"
        type User @key(fields: "id") {
            id: ID! email: String @external
            target: String @requires(fields: "email") @requiresScopes(scopes: [["read", "mail"], ["admin"]])
        }
    "#;
    let user = |id: u64| json!({"__typename": "User", "id": id.to_string(), "name": "N", "email": "e@x", "secret": 1});
    let accounts_fake =
        Fake::new("accounts", json!({"query": {"me": user(1), "open": user(2), "all": [user(3), user(4)]}}));
    let ads_fake = Fake::new("ads", json!({})).entities(|_| json!({"__typename": "User", "target": "shoes"}));
    (supergraph(&[("accounts", accounts), ("ads", ads)]), [Arc::new(accounts_fake), Arc::new(ads_fake)])
}

fn known(scopes: &[&str]) -> RequestContext {
    let scopes = scopes.iter().map(|scope| scope.to_string()).collect();
    let grant = Grant { authenticated: true, scopes, ..Grant::default() };
    RequestContext { grant, ..RequestContext::default() }
}

async fn as_caller(context: &RequestContext, query: &str) -> (Value, Vec<String>) {
    let (schema, fakes) = guarded();
    let engine = local(&schema, &fakes.iter().collect::<Vec<_>>());
    let answer = text(&engine, query, Value::Null, context).await;
    let calls = fakes.iter().flat_map(|fake| fake.calls()).map(|call| call.document);
    (serde_json::from_str(&answer).unwrap(), calls.collect())
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_never_asked_for() {
    let unknown = RequestContext::default();
    let query = "{ me { name } open { name email } }";
    let (answer, calls) = as_caller(&unknown, query).await;
    assert_eq!(answer["data"], json!({"me": null, "open": {"name": "N", "email": null}}));
    assert_eq!(answer["errors"][0]["path"], json!(["me"]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(answer["errors"][1]["path"], json!(["open", "email"]));
    assert!(
        calls.iter().all(|document| !document.contains("email") && !document.contains("me ")),
        "{calls:?}"
    );

    let (answer, _) = as_caller(&known(&["read"]), query).await;
    assert_eq!(answer["data"], json!({"me": {"name": "N"}, "open": {"name": "N", "email": null}}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");

    let (answer, _) = as_caller(&known(&["read", "mail"]), query).await;
    assert_eq!(answer, json!({"data": {"me": {"name": "N"}, "open": {"name": "N", "email": "e@x"}}}));
}

#[tokio::test]
async fn a_denied_field_that_cannot_be_null_takes_its_parents_along() {
    let (answer, calls) = as_caller(&known(&[]), "{ me { secret } all { id secret } }").await;
    assert_eq!(answer["data"], Value::Null);
    assert!(calls.iter().all(|document| !document.contains("secret")), "{calls:?}");
    let (answer, _) = as_caller(&known(&[]), "{ me { secret } }").await;
    assert_eq!(answer["data"], json!({"me": null}));
    assert_eq!(answer["errors"][0]["path"], json!(["me", "secret"]));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_guarded_field_is_not_reached_through_requires() {
    let (answer, calls) = as_caller(&known(&["read"]), "{ all { id target } }").await;
    assert_eq!(answer["data"]["all"][0], json!({"id": "3", "target": null}));
    assert_eq!(answer["errors"][1]["path"], json!(["all", 1, "target"]));
    assert!(calls.iter().all(|document| !document.contains("email")), "{calls:?}");
    let (answer, _) = as_caller(&known(&["admin"]), "{ all { id target } }").await;
    assert_eq!(answer["data"]["all"][1], json!({"id": "4", "target": "shoes"}));
}

#[tokio::test]
async fn an_operation_of_which_nothing_may_be_seen_calls_nobody() {
    let (answer, calls) = as_caller(&RequestContext::default(), "{ me { name } }").await;
    assert_eq!(answer["data"], json!({"me": null}));
    assert!(calls.is_empty());
}

#[tokio::test]
async fn callers_of_one_prepared_operation_do_not_share_what_they_see() {
    let (schema, fakes) = guarded();
    let engine = local(&schema, &fakes.iter().collect::<Vec<_>>());
    let operation = engine.prepare("{ open { email } }", None, &|_| Ok(())).unwrap();
    assert!(operation.is_guarded());
    for (context, email) in [
        (known(&["admin"]), json!("e@x")),
        (RequestContext::default(), Value::Null),
        (known(&["admin"]), json!("e@x")),
        (known(&["read"]), Value::Null),
    ] {
        let response = engine.execute(&operation, object(Value::Null), &context).await;
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(answer["data"]["open"]["email"], email);
    }
}

#[tokio::test]
async fn nothing_but_typename_needs_no_subgraph() {
    let (fake, engine) = inputs();
    assert_eq!(json(&engine, "{ __typename }").await, json!({"data": {"__typename": "Query"}}));
    assert!(fake.calls().is_empty());
}
