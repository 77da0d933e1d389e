//! Messages, and what they are about.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use common::id::OrderId;
use subgraph::graphql::{DateTime, PageInfo, viewer};

use super::loader::Loaders;
use super::part;
use crate::domain::access::Reach;
use crate::domain::{Channel, DeliveryState, Topic};
use crate::entity::notification;
use crate::service::Notifications;

/// A message to somebody through one channel.
pub struct Notification(Arc<notification::Model>);

impl From<notification::Model> for Notification {
    fn from(row: notification::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Arc<notification::Model>> for Notification {
    fn from(row: Arc<notification::Model>) -> Self {
        Self(row)
    }
}

/// A message to somebody through one channel.
#[Object]
impl Notification {
    /// The message's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What it is about.
    async fn topic(&self) -> Topic {
        self.0.topic
    }

    /// Which way it goes.
    async fn channel(&self) -> Channel {
        self.0.channel
    }

    /// What it says in short.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it says.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// How far it came.
    async fn state(&self) -> DeliveryState {
        self.0.state
    }

    /// When its reader saw it; null while they have not.
    async fn read_at(&self) -> Option<DateTime> {
        self.0.read_at.map(DateTime)
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// The order that it is about.
    async fn order(&self) -> Option<Order> {
        self.0.order_id.map(|id| Order { id })
    }

    /// The variant that it is about.
    async fn variant(&self) -> Option<ProductVariant> {
        self.0.variant_id.map(|id| ProductVariant { id: id.into() })
    }
}

/// An order.
pub struct Order {
    pub id: OrderId,
}

/// An order.
#[Object]
impl Order {
    /// The order's id.
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// What was written to the buyer about the order, oldest first. Null unless the viewer is the buyer or support.
    async fn messages(&self, context: &Context<'_>) -> Result<Option<Vec<Notification>>> {
        let reach = Reach::into_orders(viewer(context));
        if reach == Reach::Nobody {
            return Ok(None);
        }
        let messages = Loaders::of(context)?.of_orders.load((reach, self.id)).await?;
        Ok(Some(messages.unwrap_or_default().into_iter().map(Notification).collect()))
    }
}

/// What can be bought of a product.
#[derive(SimpleObject)]
#[graphql(unresolvable = "id")]
pub struct ProductVariant {
    /// The variant's id.
    pub id: ID,
}

/// A page of messages in the shop, newest first.
pub struct NotificationConnection {
    pub user: common::id::UserId,
    pub nodes: Vec<Notification>,
    pub page_info: PageInfo,
}

/// A page of messages in the shop, newest first.
#[Object]
impl NotificationConnection {
    /// The messages of this page, in order.
    async fn nodes(&self) -> &[Notification] {
        &self.nodes
    }

    /// What comes before and after this page.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many messages the user has not read, on all pages.
    async fn unread_count(&self, context: &Context<'_>) -> Result<i32> {
        let database = &part::<Notifications>(context)?.ports.database;
        let unread = notification::unread(database.read(), self.user).await?;
        Ok(i32::try_from(unread).unwrap_or(i32::MAX))
    }
}
