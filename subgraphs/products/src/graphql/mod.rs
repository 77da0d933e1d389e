//! The schema of the catalogue.

mod category;
mod channel;
mod loader;
mod mutation;
mod node;
mod product;
mod query;
mod refusal;
mod review;
mod variant;

use async_graphql::{EmptySubscription, Schema};
use common::Fault;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;

use crate::service::Catalog;

/// The schema over a catalogue.
pub fn schema(catalog: &Catalog) -> Schema<Query, Mutation, EmptySubscription> {
    subgraph::graphql::schema(Query, Mutation, EmptySubscription)
        .register_output_type::<node::Node>()
        .register_output_type::<refusal::UserError>()
        .data(catalog.clone())
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}
