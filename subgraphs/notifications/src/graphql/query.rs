//! The ways in, and the references by which the gateway comes back to an entity.

use async_graphql::{Context, ID, Object, Result};
use subgraph::graphql::{Scope, viewer};

use super::loader::Loaders;
use super::notification::{Notification, Order};
use super::part;
use super::user::User;
use super::webhook::WebhookEndpoint;
use crate::domain::access::Reach;
use crate::entity::webhook;
use crate::service::Notifications;

/// Where reading begins.
pub struct Query;

/// Where reading begins.
#[Object]
impl Query {
    /// The endpoints of partners, oldest first.
    #[graphql(guard = "Scope(\"webhooks:read\")", requires_scopes = "webhooks:read")]
    async fn webhook_endpoints(&self, context: &Context<'_>) -> Result<Vec<WebhookEndpoint>> {
        let database = &part::<Notifications>(context)?.ports.database;
        Ok(webhook::all(database.read()).await?.into_iter().map(WebhookEndpoint::from).collect())
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        id.parse().ok().map(|id| User { id })
    }

    #[graphql(entity)]
    async fn find_order_by_id(&self, id: ID) -> Option<Order> {
        id.parse().ok().map(|id| Order { id })
    }

    #[graphql(entity)]
    async fn find_notification_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Notification>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let reach = Reach::of(viewer(context));
        Ok(Loaders::of(context)?.notifications.load((reach, id)).await?.map(Notification::from))
    }

    #[graphql(entity)]
    async fn find_webhook_endpoint_by_id(
        &self,
        context: &Context<'_>,
        id: ID,
    ) -> Result<Option<WebhookEndpoint>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        if !viewer(context).has_scope("webhooks:read") {
            return Ok(None);
        }
        Ok(Loaders::of(context)?.webhooks.load(id).await?.map(WebhookEndpoint::from))
    }
}
