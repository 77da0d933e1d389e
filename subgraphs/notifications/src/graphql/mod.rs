//! The schema of notifications.

mod loader;
mod mutation;
mod notification;
mod query;
mod refusal;
mod subscription;
mod user;
mod webhook;

use async_graphql::{ID, Interface, Schema};
use common::Fault;

pub use loader::Loaders;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use crate::service::Notifications;

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
enum Node {
    Notification(notification::Notification),
    WebhookEndpoint(webhook::WebhookEndpoint),
}

/// The schema over notifications.
pub fn schema(notifications: &Notifications) -> Schema<Query, Mutation, Subscription> {
    subgraph::graphql::schema(Query, Mutation, Subscription)
        .register_output_type::<Node>()
        .register_output_type::<refusal::UserError>()
        .data(notifications.clone())
        .finish()
}

/// What the request's data must hold; a missing part is a fault of ours.
fn part<'c, T: Send + Sync + 'static>(context: &async_graphql::Context<'c>) -> Result<&'c T, Fault> {
    context.data::<T>().map_err(|error| Fault::internal(error.message))
}
