//! Carts: lines with locked prices, promotions, tax and delivery quotes; wish lists; what a buyer pays for a variant.
//!
//! Read it from the bottom: `domain` has the rules, `entity` the tables, `service` the use cases, `graphql` the schema,
//! `events` what it hears from others. Carts keep offers of their own, told by the catalogue's events, so that adding to
//! a cart calls nobody.

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
pub const NAME: &str = "cart";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    let carts = service::Carts::new(ports);
    let schema = graphql::schema(&carts);
    let sdl = subgraph::export_sdl(&schema);
    carts.warm_up();
    let loading = carts.clone();
    Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&loading)))
        .consuming(ports, events::consumer(&carts))
        .working(carts.abandon_job())
}
