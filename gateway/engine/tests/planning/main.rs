//! Plans operations and looks at the plans.

mod shop;

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

/// Plans one operation of a document, which must be valid.
fn try_plan(planner: &Planner, document: &str, name: Option<&str>) -> Result<QueryPlan, PlanError> {
    let schema = planner.supergraph().api_schema();
    match ExecutableDocument::parse_and_validate(schema, document, "operation.graphql") {
        Ok(document) => planner.plan(&document, name, &PlanOptions::default()),
        Err(refused) => panic!("{}", refused.errors),
    }
}

/// The plan of a document with one operation, as text.
fn explain(planner: &Planner, document: &str) -> String {
    match try_plan(planner, document, None) {
        Ok(plan) => plan.explain(planner.supergraph()).to_string(),
        Err(refused) => panic!("{refused}"),
    }
}
