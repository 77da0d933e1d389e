//! What the composers on npm say of the same subgraphs: the same verdicts, the same API schemas.
//!
//! Needs node and npm; without them the tests say SKIPPED, or fail where `CI=true`.

use crate::subgraphs::{Case, corpus, shop};
use serde_json::{Value, json};

/// Has the composers judge the cases; `None` when they cannot be had.
fn judged(test: &str, cases: &[Case]) -> Option<Vec<Value>> {
    let workspace = crate::node::workspace(test)?;
    let input: Vec<Value> = cases
        .iter()
        .map(|case| {
            let subgraphs: Vec<Value> = case
                .subgraphs
                .iter()
                .map(|subgraph| json!({ "name": subgraph.name, "url": subgraph.url, "sdl": subgraph.sdl }))
                .collect();
            let ours = compose::compose(&case.subgraphs)
                .map(|ours| json!({ "supergraph": ours.supergraph_sdl, "api": ours.api_sdl }));
            json!({ "subgraphs": subgraphs, "ours": ours.ok() })
        })
        .collect();
    let answer = crate::node::run(&workspace, "judge.mjs", &Value::from(input).to_string());
    Some(serde_json::from_str(&answer).expect("judge.mjs answers in JSON"))
}

#[test]
fn the_shop_has_the_api_schema_that_the_composers_on_npm_make() {
    let case = Case { name: "shop".to_owned(), expected: "ok".to_owned(), subgraphs: shop() };
    let Some(judged) = judged("the_shop_has_the_api_schema_that_the_composers_on_npm_make", &[case]) else {
        return;
    };
    let agreed = json!({ "codes": [], "differences": [] });
    assert_eq!(judged[0]["apollo"], agreed);
    assert_eq!(judged[0]["theguild"], agreed);
}

#[test]
fn apollo_gives_every_case_of_the_corpus_the_same_verdict() {
    let cases = corpus();
    let Some(judged) = judged("apollo_gives_every_case_of_the_corpus_the_same_verdict", &cases) else {
        return;
    };
    let wrong: Vec<String> = cases
        .iter()
        .zip(&judged)
        .filter_map(|(case, judged)| {
            let codes: Vec<&str> =
                judged["apollo"]["codes"].as_array()?.iter().filter_map(|code| code.as_str()).collect();
            let said = if codes.is_empty() { "ok".to_owned() } else { codes.join(", ") };
            let differences = judged["apollo"]["differences"].as_array()?;
            (said != case.expected || !differences.is_empty()).then(|| {
                format!("{}: expected {}, Apollo says {said} {differences:?}", case.name, case.expected)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
