//! The schema of stock.

mod availability;
mod loader;
mod mutation;
mod query;
mod reference;
mod refusal;
mod stock;
mod subscription;

use async_graphql::Schema;
use common::Fault;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use crate::service::Inventory;

/// The schema over the stock.
pub fn schema(inventory: &Inventory) -> Schema<Query, Mutation, Subscription> {
    subgraph::graphql::schema(Query, Mutation, Subscription)
        .register_output_type::<stock::Node>()
        .register_output_type::<refusal::UserError>()
        .data(inventory.clone())
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}

/// A count as the schema shows it.
fn shown(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
