//! The schema of orders.

mod attempt;
mod fulfillment;
mod loader;
mod mutation;
mod node;
mod order;
mod order_line;
mod query;
mod reference;
mod refusal;
mod status;
mod subscription;

use async_graphql::Schema;
use common::Fault;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use crate::service::Orders;

/// The schema over orders.
pub fn schema(orders: &Orders) -> Schema<Query, Mutation, Subscription> {
    subgraph::graphql::schema(Query, Mutation, Subscription)
        .register_output_type::<node::Node>()
        .register_output_type::<refusal::UserError>()
        .data(orders.clone())
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}
