//! The schema of the accounts.

mod address;
mod loader;
mod mutation;
mod query;
mod refusal;
mod session;
mod user;

use async_graphql::{EmptySubscription, ID, Interface, Schema};
use common::Fault;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;

use crate::service::Accounts;

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
enum Node {
    User(user::User),
    Address(address::Address),
}

/// The schema over the accounts.
pub fn schema(accounts: &Accounts) -> Schema<Query, Mutation, EmptySubscription> {
    subgraph::graphql::schema(Query, Mutation, EmptySubscription)
        .register_output_type::<Node>()
        .register_output_type::<refusal::UserError>()
        .data(accounts.clone())
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}
