//! Accounts: people with their roles, log-ins and addresses.
//!
//! Read it from the bottom: `domain` has the rules, `entity` the tables, `service` the use cases, `graphql` the schema.
//! It hears nothing from others, and signs the access tokens that the gateway verifies.

mod domain;
mod entity;
mod graphql;
mod migration;
mod seed;
mod service;

use subgraph::{Ports, Subgraph};

pub use crate::seed::{rows as seed_rows, seed};
pub use migration::migrations;
pub use service::PasswordCost;

/// The subgraph's name in the supergraph.
pub const NAME: &str = "users";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    build_with(ports, PasswordCost::default())
}

/// Builds the subgraph on its ports, with new passwords hashed at this cost.
pub fn build_with(ports: &Ports, cost: PasswordCost) -> Subgraph {
    let accounts = service::Accounts::new(ports, cost);
    let sweeping = service::sweep::job(&accounts);
    let schema = graphql::schema(&accounts);
    let sdl = subgraph::export_sdl(&schema);
    accounts.warm_up();
    Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&accounts)))
        .working(sweeping)
}
