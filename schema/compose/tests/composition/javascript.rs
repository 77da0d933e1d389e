//! What the composers on npm say of the same subgraphs: the same verdicts, the same API schemas.
//!
//! Needs node and npm; without them the tests say SKIPPED, or fail where `CI=true`.

use crate::subgraphs::{Case, corpus, shop};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

/// Where Apollo's API schema is not ours: it forgets `@oneOf`.
const APOLLO_DIFFERS: [&str; 1] = ["one_of_inputs"];

/// Where The Guild's API schema is neither ours nor Apollo's: it shows clients the definitions of composed
/// directives, keeps executable directives that not all subgraphs have, and lets an overridden field's
/// description go.
const THE_GUILD_DIFFERS: [&str; 4] = [
    "composed_directives_with_more_places",
    "custom_directives_are_composed",
    "executable_directives_intersect",
    "override_takes_over_arguments_and_description",
];

/// The corpus and what the composers make of it, asked once; `None` when they cannot be had.
fn judged_corpus(test: &str) -> Option<&'static (Vec<Case>, Vec<Value>)> {
    static JUDGED: OnceLock<(Vec<Case>, Vec<Value>)> = OnceLock::new();
    let workspace = crate::node::workspace(test)?;
    Some(JUDGED.get_or_init(|| {
        let cases = corpus();
        let judged = judged(&workspace, &cases);
        (cases, judged)
    }))
}

/// Has the composers judge the cases.
fn judged(workspace: &Path, cases: &[Case]) -> Vec<Value> {
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
    let answer = crate::node::run(workspace, "judge.mjs", &Value::from(input).to_string());
    serde_json::from_str(&answer).expect("judge.mjs answers in JSON")
}

#[test]
fn the_shop_has_the_api_schema_that_the_composers_on_npm_make() {
    let test = "the_shop_has_the_api_schema_that_the_composers_on_npm_make";
    let Some(workspace) = crate::node::workspace(test) else { return };
    let case = Case { name: "shop".to_owned(), expected: "ok".to_owned(), subgraphs: shop() };
    let judged = judged(&workspace, &[case]);
    let agreed = json!({ "codes": [], "differences": [] });
    assert_eq!(judged[0]["apollo"], agreed);
    assert_eq!(judged[0]["theguild"], agreed);
}

#[test]
fn apollo_gives_every_case_of_the_corpus_the_same_verdict() {
    let Some((cases, judged)) = judged_corpus("apollo_gives_every_case_of_the_corpus_the_same_verdict")
    else {
        return;
    };
    let mut crashed = Vec::new();
    let mut wrong = Vec::new();
    for (case, judged) in cases.iter().zip(judged) {
        let (said, differences) = verdict_of(&judged["apollo"]);
        if said.starts_with("CRASH") {
            crashed.push(case.name.as_str());
        } else if said != case.expected
            || differences.is_empty() == APOLLO_DIFFERS.contains(&case.name.as_str())
        {
            wrong.push(format!(
                "{}: expected {}, Apollo says {said} {differences:?}",
                case.name, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(crashed, ["a_circle_of_requirements"], "there Apollo overflows its stack");
}

#[test]
fn the_guild_makes_the_same_api_schema_wherever_it_composes() {
    let Some((cases, judged)) = judged_corpus("the_guild_makes_the_same_api_schema_wherever_it_composes")
    else {
        return;
    };
    let (mut composed, mut different) = (0, Vec::new());
    for (case, judged) in cases.iter().zip(judged).filter(|(case, _)| case.expected == "ok") {
        let (said, differences) = verdict_of(&judged["theguild"]);
        composed += usize::from(said == "ok");
        if !differences.is_empty() {
            different.push(case.name.as_str());
        }
    }
    assert!(composed > 30, "it composes nearly all that is valid, and here only {composed}");
    assert_eq!(different, THE_GUILD_DIFFERS);
}

/// The codes as an expectation is written, and how the API schemas differ.
fn verdict_of(judged: &Value) -> (String, Vec<Value>) {
    let list = |name: &str| judged[name].as_array().cloned().unwrap_or_default();
    let codes: Vec<String> =
        list("codes").iter().filter_map(|code| code.as_str().map(str::to_owned)).collect();
    let said = if codes.is_empty() { "ok".to_owned() } else { codes.join(", ") };
    (said, list("differences"))
}
