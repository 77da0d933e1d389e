//! Stock: how much of what lies where, what is set aside for whom, and what a shopper may be promised.
//!
//! Read it from the bottom: `domain` has the rules, `entity` the tables, `service` the use cases, `graphql` the schema,
//! `events` what it hears from others. Every change of stock goes through `service::LockedStock`, which locks in one
//! order and changes only what the conditions of its `UPDATE` still allow.

mod domain;
mod entity;
mod events;
mod graphql;
mod migration;
mod seed;
mod service;

use common::Fault;
use subgraph::{Ports, Subgraph};

pub use crate::seed::{rows as seed_rows, seed};
pub use migration::migrations;

/// The subgraph's name in the supergraph.
pub const NAME: &str = "inventory";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    let inventory = service::Inventory::new(ports);
    let schema = graphql::schema(&inventory);
    let sdl = subgraph::export_sdl(&schema);
    inventory.warm_up();
    let loading = std::sync::Arc::new(inventory.clone());
    let consumer = events::consumer(&inventory);
    let sweeping = service::sweep_job(&inventory);
    Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&loading)))
        .consuming(ports, consumer)
        .working(sweeping)
        .spreading(inventory.news())
}

/// Gives back what expired reservations hold and returns how many there were: what its job does, for
/// tests that move the clock.
pub async fn sweep(ports: &Ports) -> Result<usize, Fault> {
    service::Inventory::new(ports).sweep().await
}
