//! Endpoints of partners.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::{Fault, PageArgs};
use subgraph::graphql::DateTime;

use super::part;
use crate::entity::{webhook, webhook_delivery};
use crate::service::Notifications;

/// Where a partner wants to be told of events.
pub struct WebhookEndpoint(Arc<webhook::Model>);

impl From<webhook::Model> for WebhookEndpoint {
    fn from(row: webhook::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Arc<webhook::Model>> for WebhookEndpoint {
    fn from(row: Arc<webhook::Model>) -> Self {
        Self(row)
    }
}

/// Where a partner wants to be told of events.
#[Object]
impl WebhookEndpoint {
    /// The endpoint's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Where events are sent.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// Which events, such as `order.confirmed`; `*` stands for all.
    async fn events(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_str(&self.0.events).map_err(Fault::internal)?)
    }

    /// Whether events are to be sent there.
    async fn active(&self) -> bool {
        self.0.active
    }

    /// The tries to tell the endpoint of an event, newest first.
    async fn deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(50)")] first: Option<i32>,
        #[graphql(desc = "The `id` of the last delivery of the page before.")] after: Option<String>,
    ) -> Result<Vec<WebhookDelivery>> {
        let page = PageArgs::parse(first.unwrap_or(50), None).map_err(Fault::from)?;
        let after = after.map(|id| id.parse::<i64>()).transpose();
        let after = after.map_err(|_| Fault::from(common::page::PageError::Cursor))?;
        let database = &part::<Notifications>(context)?.ports.database;
        let rows = webhook_delivery::page_of(database.read(), self.0.id, &page, after).await?;
        Ok(rows.into_iter().map(WebhookDelivery::from).collect())
    }
}

/// A try to tell an endpoint of an event.
#[derive(SimpleObject)]
pub struct WebhookDelivery {
    /// The try's id.
    pub id: ID,
    /// The event's id, the same at every try.
    pub event_id: ID,
    /// Which try it was; 1 for the first.
    pub attempt: i32,
    /// The HTTP status that came back; null where none did.
    pub status: Option<i32>,
    /// When it was tried.
    pub at: DateTime,
}

impl From<webhook_delivery::Model> for WebhookDelivery {
    fn from(row: webhook_delivery::Model) -> Self {
        Self {
            id: row.id.into(),
            event_id: row.event_id.into(),
            attempt: row.attempt,
            status: row.status,
            at: row.at.into(),
        }
    }
}

/// An endpoint to keep.
#[derive(InputObject)]
pub struct WebhookUpsertInput {
    /// Which endpoint is changed; none makes one.
    pub id: Option<ID>,
    /// Where events are to be sent: https or http, at most 2,000 characters.
    pub url: String,
    /// Which events, such as `order.confirmed`; `*` stands for all.
    pub events: Vec<String>,
}
