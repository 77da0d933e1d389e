//! The shop's operations: every plan is looked at, and its size is bounded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use apollo_compiler::ExecutableDocument;
use engine::plan::{PlanOptions, Planner, QueryPlan};

fn shop() -> Planner {
    super::planner(include_str!("../../../../schema/supergraph/tests/fixtures/shop.graphql"))
}

/// The plans of all operations of the shop's front ends, by file and name.
fn plans(planner: &Planner) -> BTreeMap<String, QueryPlan> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/operations");
    let mut plans = BTreeMap::new();
    for file in fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("a file").path()) {
        let text = fs::read_to_string(&file).expect("the file is text");
        let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        let document = ExecutableDocument::parse_and_validate(planner.supergraph().api_schema(), text, stem)
            .unwrap_or_else(|refused| panic!("{}", refused.errors));
        for name in document.operations.named.keys() {
            let plan = planner.plan(&document, Some(name), &PlanOptions::default());
            let plan = plan.unwrap_or_else(|refused| panic!("{stem} {name}: {refused}"));
            plans.insert(format!("{stem}_{name}"), plan);
        }
    }
    plans
}

#[test]
fn every_operation_of_the_shop_has_the_plan_we_know() {
    let planner = shop();
    let plans = plans(&planner);
    assert_eq!(plans.len(), 37);
    let mut text = String::new();
    for (name, plan) in &plans {
        text.push_str(&format!("# {name}\n{}\n", plan.explain(planner.supergraph())));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_product_page_takes_at_most_six_fetches_in_three_stages() {
    let page = &plans(&shop())["05_pdp_Pdp"];
    assert!(page.fetches.len() <= 6, "{} fetches", page.fetches.len());
    assert!(page.stages() <= 3, "{} stages", page.stages());
}

#[test]
fn supergraphs_of_different_composers_give_the_same_plans() {
    let (ours, theirs) = (
        shop(),
        super::planner(include_str!("../../../../schema/supergraph/tests/fixtures/shop.apollo.graphql")),
    );
    let theirs_by_name = plans(&theirs);
    for (name, plan) in plans(&ours) {
        let other = &theirs_by_name[&name];
        let texts =
            (plan.explain(ours.supergraph()).to_string(), other.explain(theirs.supergraph()).to_string());
        assert_eq!(texts.0, texts.1, "{name}");
    }
}
