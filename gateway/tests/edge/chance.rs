//! Requests by chance: whatever is sent, the answer is JSON, no status says that the gateway failed, and every error
//! has a code.

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::door::{Door, MODERN};

const DOCUMENTS: [&str; 8] = [
    "{ hello product { id title similar(first: 2) { id } } }",
    "query Q($n: Int = 2, $t: String!) { products(first: $n) { ...P } echo(text: $t) } fragment P on Product { id parent { ...R } } fragment R on Product { title }",
    "mutation M { add(n: 1) }",
    "subscription S { ticks }",
    "{ __schema { types { name fields(includeDeprecated: true) { name type { kind ofType { name } } } } } }",
    "{ a: product @include(if: true) { ... on Product @skip(if: false) { id } } orders ledger broken }",
    "query($o: Boolean!) { whoami @skip(if: $o) __typename echo(text: \"\"\"block\"\"\", n: -1) }",
    "{ products { id, title, } } # comment",
];
const SPLINTERS: [&str; 24] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "...",
    "@",
    "$",
    ":",
    "!",
    "fragment A on Query { ...A }",
    "...A",
    "on",
    "\u{0}",
    "\u{feff}",
    "\\u{110000}",
    "99999999999999999999",
    "1e999",
    "null",
    "é",
    "#",
];

/// A document with some of its text cut out and splinters put in.
fn mutated() -> impl Strategy<Value = String> {
    let cut = (any::<prop::sample::Index>(), 0usize..12, prop::option::of(0..SPLINTERS.len()));
    (0..DOCUMENTS.len(), prop::collection::vec(cut, 1..6)).prop_map(|(document, cuts)| {
        let mut text: Vec<char> = DOCUMENTS[document].chars().collect();
        for (place, length, splinter) in cuts {
            let start = place.index(text.len() + 1);
            let end = (start + length).min(text.len());
            let splinter = splinter.map_or("", |at| SPLINTERS[at]);
            text.splice(start..end, splinter.chars());
        }
        text.into_iter().collect()
    })
}

/// A request with such a document, and now and then a byte of it changed.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let variables = prop_oneof![
        Just(json!({})),
        Just(json!({ "t": "x", "n": 3, "o": true })),
        Just(json!({ "t": 1, "n": 1e300, "o": null })),
        Just(json!(7)),
    ];
    let change = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    (mutated(), variables, prop::option::of("[A-Z]"), change).prop_map(|(query, variables, name, change)| {
        let body = json!({ "query": query, "variables": variables, "operationName": name });
        let mut body = body.to_string().into_bytes();
        if let Some((at, byte)) = change {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body
    })
}

fn holds(status: u16, text: &str) -> Result<(), TestCaseError> {
    let allowed = [200, 400, 406];
    prop_assert!(allowed.contains(&status), "{status}: {text}");
    let answer: Value =
        serde_json::from_str(text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    for error in answer["errors"].as_array().into_iter().flatten() {
        prop_assert!(error["extensions"]["code"].is_string(), "an error without a code: {text}");
        prop_assert!(error["extensions"]["requestId"].is_string(), "an error without an id: {text}");
    }
    prop_assert!(answer.get("data").is_some() || answer.get("errors").is_some(), "{text}");
    Ok(())
}

#[test]
fn whatever_is_sent_is_answered_or_refused_with_a_code() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let door = runtime.block_on(async { Door::new() });
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(body in body())| {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", MODERN)
            .body(Body::from(body))
            .unwrap();
        let reply = runtime.block_on(door.send(request));
        holds(reply.status.as_u16(), &reply.text)?;
    });
}
