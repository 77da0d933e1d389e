//! From a valid operation to a logical plan: which subgraph is asked what, and in which order.
//!
//! ```text
//! normalise   fragments inlined, equal keys merged           → selection
//! search      for each object: what to take where            → choices   (demand, choose)
//! emit        the selection walked by these choices          → drafts    (draft, position)
//! merge       drafts joined, ordered, written out            → fetches   (aliases)
//! ```

mod aliases;
mod budget;
mod choose;
mod condition;
mod demand;
mod draft;
mod emit;
mod explain;
pub mod fetch_graph;
mod merge;
mod need;
mod normalise;
mod position;
mod search;
mod type_set;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use apollo_compiler::ast::{OperationType, VariableDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node};
use supergraph::Supergraph;
use supergraph::query_graph::QueryGraph;

pub use budget::PlanLimits;
pub use condition::{Condition, Literal};
pub use explain::Explanation;
pub use fetch_graph::{
    EntityGroup, EntityTarget, Fetch, FetchField, FetchFragment, FetchId, FetchKind, FetchSelection,
    PathStep, QueryPlan, RepresentationField, SelectedField,
};
pub use type_set::TypeSet;

use budget::Budget;
use emit::Emission;
use position::Positions;
use search::Search;

/// Plans operations over one supergraph.
#[derive(Debug)]
pub struct Planner {
    supergraph: Arc<Supergraph>,
    graph: QueryGraph,
}

/// What a plan depends on beside the document.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    pub limits: PlanLimits,
    /// The labels of progressive `@override` that are set for this request.
    pub override_labels: BTreeSet<String>,
    /// Planning stops soon after this becomes true.
    pub cancelled: Option<Arc<AtomicBool>>,
}

/// An operation of which fragments are inlined and equal response keys merged.
#[derive(Clone, Debug)]
pub struct NormalisedOperation {
    pub operation: OperationType,
    pub selection: Vec<SelectedField>,
    /// The variables as declared.
    pub variables: Vec<Node<VariableDefinition>>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("the document has no operation named {name}")]
    UnknownOperation { name: String },
    #[error("the document has several operations, and none was named")]
    AmbiguousOperation,
    #[error("the supergraph has no root type for this operation")]
    NoRootType,
    #[error("the operation has more than {limit} fields once its fragments are inlined")]
    TooManyFields { limit: usize },
    #[error("the operation nests fields deeper than {limit}")]
    TooDeep { limit: usize },
    #[error("the operation needs more than {limit} fetches")]
    TooManyFetches { limit: usize },
    #[error("planning the operation takes more than {limit} steps")]
    TooMuchWork { limit: u64 },
    #[error("planning was cancelled")]
    Cancelled,
    #[error("no subgraph can be asked for {field} where the operation wants it")]
    Unreachable { field: String },
}

impl Planner {
    /// A planner for this supergraph.
    pub fn new(supergraph: Arc<Supergraph>) -> Planner {
        let graph = QueryGraph::new(&supergraph);
        Planner { supergraph, graph }
    }

    /// The supergraph that plans are for.
    pub fn supergraph(&self) -> &Arc<Supergraph> {
        &self.supergraph
    }

    /// Plans one operation of a document that is valid against the API schema. Equal documents and options
    /// give equal plans.
    pub fn plan(
        &self,
        document: &Valid<ExecutableDocument>,
        operation_name: Option<&str>,
        options: &PlanOptions,
    ) -> Result<QueryPlan, PlanError> {
        self.plan_normalised(self.normalise(document, operation_name, options)?, options)
    }

    /// The first step of [`Planner::plan`]: the operation without fragments.
    pub fn normalise(
        &self,
        document: &Valid<ExecutableDocument>,
        operation_name: Option<&str>,
        options: &PlanOptions,
    ) -> Result<NormalisedOperation, PlanError> {
        let operation = document.operations.get(operation_name).map_err(|_| match operation_name {
            Some(name) => PlanError::UnknownOperation { name: name.to_owned() },
            None => PlanError::AmbiguousOperation,
        })?;
        let mut budget = Budget::new(options.limits, options.cancelled.as_deref());
        Ok(NormalisedOperation {
            operation: operation.operation_type,
            selection: normalise::normalise(&self.supergraph, document, operation, &mut budget)?,
            variables: operation.variables.clone(),
        })
    }

    /// The other steps of [`Planner::plan`]. Fields may have been taken out of the selection; where nothing
    /// would be left of an object, `__typename` must stand.
    pub fn plan_normalised(
        &self,
        operation: NormalisedOperation,
        options: &PlanOptions,
    ) -> Result<QueryPlan, PlanError> {
        let NormalisedOperation { operation, selection, variables } = operation;
        let root = self.supergraph.root(operation).ok_or(PlanError::NoRootType)?;
        let typename = position::typename_slot(&selection);
        let budget = Budget::new(options.limits, options.cancelled.as_deref());
        let search = Search::new(&self.supergraph, &self.graph, options, budget);
        let positions = Positions::new(&selection);
        let mut emission = Emission::new(&self.supergraph, &self.graph, search, positions, typename.clone());
        emission.operation(operation, &selection)?;
        let (drafts, selections) = emission.finish();
        let fetches = merge::merge(&self.supergraph, drafts, selections, &variables);
        Ok(QueryPlan { operation, root, selection, variables, fetches, typename })
    }
}
