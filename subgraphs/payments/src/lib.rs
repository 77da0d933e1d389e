//! Payments: what is held, taken and given back for orders, the ways to pay, gift cards.
//!
//! Read it from the bottom: `domain` has the rules and the state machine, `entity` the tables, `provider` who really
//! moves the money, `service` the use cases, `graphql` the schema. The provider is never asked inside a transaction:
//! what is wanted is written first, as a transaction that is PENDING; then the provider is asked, under a key that makes
//! asking again harmless; then what came of it is written. Whatever dies in between is taken up by `service::worker`.

mod domain;
mod entity;
mod graphql;
mod migration;
pub mod provider;
mod seed;
mod service;

use std::sync::Arc;

use provider::{PaymentProvider, TestProvider};
use subgraph::{Ports, Subgraph};

pub use crate::seed::{rows as seed_rows, seed};
pub use migration::migrations;

/// The subgraph's name in the supergraph.
pub const NAME: &str = "payments";

/// Builds the subgraph on its ports with the built-in test provider.
pub fn build(ports: &Ports) -> Subgraph {
    let test = TestProvider::new(ports);
    build_with(ports, Arc::new(test.clone()), Some(test))
}

/// Builds the subgraph with a provider of your own. Where `test` is given, its charges can be read and its client
/// actions completed through the schema.
pub fn build_with(ports: &Ports, provider: Arc<dyn PaymentProvider>, test: Option<TestProvider>) -> Subgraph {
    let payments = service::Payments::new(ports, provider);
    if let Some(test) = &test {
        test.call_back(payments.webhook());
    }
    let schema = graphql::schema(&payments, test);
    let sdl = subgraph::export_sdl(&schema);
    let loading = payments.clone();
    let working = service::job(&payments);
    Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&loading)))
        .working(working)
}
