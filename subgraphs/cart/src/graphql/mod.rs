//! The schema of carts and wish lists.

mod address;
mod cart;
mod input;
mod line;
mod loader;
mod mutation;
mod node;
mod payload;
mod promotion;
mod query;
mod refusal;
mod subscription;
mod user;
mod variant;
mod wishlist;

use async_graphql::Schema;
use common::Fault;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use crate::service::Carts;

/// The schema over the carts.
pub fn schema(carts: &Carts) -> Schema<Query, Mutation, Subscription> {
    subgraph::graphql::schema(Query, Mutation, Subscription)
        .register_output_type::<node::Node>()
        .register_output_type::<refusal::UserError>()
        .data(carts.clone())
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}
