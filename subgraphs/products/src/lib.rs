//! The catalogue: products with variants and list prices, categories, channels, reviews.
//!
//! Read it from the bottom: `domain` has the rules, `entity` the tables, `service` the use cases, `graphql` the schema,
//! `events` what it hears from others. It also serves `node(id)`, because every id names its type.

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
pub const NAME: &str = "products";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    let catalog = service::Catalog::new(ports);
    let schema = graphql::schema(&catalog);
    let sdl = subgraph::export_sdl(&schema);
    catalog.warm_up();
    let loading = std::sync::Arc::new(catalog.clone());
    Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&loading)))
        .consuming(ports, events::consumer())
}
