//! Plans operations and looks at the plans.

mod abstract_types;
mod chance;
mod conditions;
mod entities;
mod limits;
mod operations;
mod run;
mod shop;
mod whole;
mod world;

use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use engine::plan::{PlanError, PlanOptions, Planner, QueryPlan};
use supergraph::Supergraph;

/// A planner for supergraph SDL.
fn planner(sdl: &str) -> Planner {
    match Supergraph::parse(sdl) {
        Ok(supergraph) => Planner::new(Arc::new(supergraph)),
        Err(refused) => panic!("{refused}"),
    }
}

/// A planner for subgraphs, given as names and schemas.
fn planner_of(subgraphs: &[(&str, &str)]) -> Planner {
    const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: [
        "@key" "@external" "@requires" "@provides" "@shareable" "@override" "@inaccessible" "@interfaceObject"
    ])"#;
    let published = |(name, sdl): &(&str, &str)| compose::Subgraph {
        name: (*name).to_owned(),
        url: format!("http://{name}.internal/graphql"),
        sdl: format!("{LINK}\n{sdl}"),
    };
    let subgraphs: Vec<compose::Subgraph> = subgraphs.iter().map(published).collect();
    match compose::compose(&subgraphs) {
        Ok(composition) => planner(&composition.supergraph_sdl),
        Err(refused) => panic!("{refused:#?}"),
    }
}

/// Plans the operation of a document, which must be valid.
fn try_plan(planner: &Planner, document: &str, options: &PlanOptions) -> Result<QueryPlan, PlanError> {
    let schema = planner.supergraph().api_schema();
    match ExecutableDocument::parse_and_validate(schema, document, "operation.graphql") {
        Ok(document) => planner.plan(&document, None, options),
        Err(refused) => panic!("{}", refused.errors),
    }
}

/// The plan of a document with one operation.
fn plan(planner: &Planner, document: &str) -> QueryPlan {
    match try_plan(planner, document, &PlanOptions::default()) {
        Ok(plan) => plan,
        Err(refused) => panic!("{refused}"),
    }
}

/// The plan of a document with one operation, as text.
fn explain(planner: &Planner, document: &str) -> String {
    plan(planner, document).explain(planner.supergraph()).to_string()
}

/// Subgraphs that together use every feature.
const EVERY_FEATURE: [(&str, &str); 5] = [
    ("catalog", include_str!("every_feature/catalog.graphql")),
    ("prices", include_str!("every_feature/prices.graphql")),
    ("media", include_str!("every_feature/media.graphql")),
    ("people", include_str!("every_feature/people.graphql")),
    ("stars", include_str!("every_feature/stars.graphql")),
];
