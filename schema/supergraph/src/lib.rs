//! The model of a supergraph: which subgraph can answer what, read once into tables.
//!
//! A composer writes supergraph SDL (the join specification), [`Supergraph::parse`] reads it into tables
//! with small integer ids. The planner asks those tables, and the gateway validates against the API schema
//! beside them. The composer and the planner both walk the [`query_graph`], so that they cannot disagree
//! about what is reachable from where.

mod api_schema;
mod authorization;
mod field_set;
mod ids;
mod model;
mod parse;
pub mod query_graph;

pub use authorization::Authorization;
pub use field_set::{FieldSet, FieldSetField, FieldSetSelection};
pub use ids::{FieldId, SubgraphId, TypeId};
pub use model::{
    Field, FieldJoin, Key, Override, Subgraph, Supergraph, SupergraphError, Type, TypeJoin, TypeKind,
};
