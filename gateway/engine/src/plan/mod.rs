//! From a valid operation to a logical plan: which subgraph is asked what, and in which order.

mod condition;
pub mod fetch_graph;
mod type_set;

pub use condition::{Condition, Literal};
pub use fetch_graph::{
    EntityGroup, EntityTarget, Fetch, FetchField, FetchFragment, FetchId, FetchKind, FetchSelection,
    PathStep, QueryPlan, RepresentationField, SelectedField,
};
pub use type_set::TypeSet;
