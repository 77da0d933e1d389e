//! The schema of payments.

mod loader;
mod mutation;
mod payment;
mod query;
mod reference;
mod refusal;
mod test_provider;
mod wallet;

use async_graphql::{EmptySubscription, Schema};
use auth::Viewer;
use common::Fault;
use common::id::UserId;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;

use crate::provider::TestProvider;
use crate::service::Payments;

/// The schema over the payments, with the test provider where that is what moves the money.
pub fn schema(payments: &Payments, test: Option<TestProvider>) -> Schema<Query, Mutation, EmptySubscription> {
    subgraph::graphql::schema(Query, Mutation, EmptySubscription)
        .register_output_type::<wallet::Node>()
        .register_output_type::<refusal::UserError>()
        .data(payments.clone())
        .data(test)
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}

/// Whether somebody may see what belongs to a customer. What belongs to a guest has no owner who could log in: whoever
/// names the order or the payment by its id may see it, because the id is 128 bits that only the guest was told.
fn may_see(viewer: &Viewer, customer: Option<UserId>) -> bool {
    customer.is_none() || viewer.user_id() == customer || sees_all(viewer)
}

/// Whether somebody may see what belongs to anybody.
fn sees_all(viewer: &Viewer) -> bool {
    viewer.is_service() || viewer.has_scope("payments:read")
}
