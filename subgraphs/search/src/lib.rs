//! Finding things: text search with facets, suggestions, recommendations, and what was sold.
//!
//! The subgraph keeps its own projection of products, stock and sales, written by events (`events`, `entity`). From it
//! `service` holds a picture of the catalogue in memory and a text index over it; `domain` has what is asked and how
//! hits are filtered, counted and ordered.

mod domain;
mod entity;
mod events;
mod graphql;
mod migration;
mod seed;
mod service;

use subgraph::{Ports, Subgraph};

pub use crate::seed::{rows as seed_rows, seed};
pub use migration::migrations;

/// The subgraph's name in the supergraph.
pub const NAME: &str = "search";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    let finder = service::Finder::new(ports);
    let schema = graphql::schema(&finder);
    let sdl = subgraph::export_sdl(&schema);
    finder.warm_up();
    Subgraph::new(ports, schema, sdl, |request| request).consuming(ports, events::consumer(&finder))
}
