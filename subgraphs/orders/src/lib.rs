//! Orders, and the checkout that makes them.
//!
//! Read it from the bottom: `domain` has the states and rules, `entity` the tables, `service` the use cases (`checkout`
//! is the saga), `graphql` the schema, `events` what it hears of payments.

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
pub const NAME: &str = "orders";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    assemble(ports, &service::Orders::new(ports))
}

fn assemble(ports: &Ports, orders: &service::Orders) -> Subgraph {
    let schema = graphql::schema(orders);
    let sdl = subgraph::export_sdl(&schema);
    let loading = orders.clone();
    let built =
        Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&loading)))
            .consuming(ports, events::consumer(orders))
            .working(orders.job());
    orders.news().into_iter().fold(built, Subgraph::spreading)
}
