//! Shipments and returns.

use async_graphql::{Context, ID, Object, Result};
use common::id::OrderLineId;
use subgraph::graphql::DateTime;

use super::loader::Loaders;
use super::order_line::OrderLine;
use super::status::{FulfillmentStatus, ReturnStatus};
use crate::entity::{fulfillment, order_return};

/// A shipment of some of an order.
pub struct Fulfillment {
    pub row: fulfillment::Model,
    pub lines: Vec<OrderLineId>,
}

/// A shipment of some of an order.
#[Object]
impl Fulfillment {
    /// The shipment's id.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// How far it has come.
    async fn status(&self) -> FulfillmentStatus {
        self.row.status.into()
    }

    /// Who carries it.
    async fn carrier(&self) -> Option<&str> {
        self.row.carrier.as_deref()
    }

    /// The carrier's number of the parcel.
    async fn tracking_number(&self) -> Option<&str> {
        self.row.tracking_number.as_deref()
    }

    /// Where to follow the parcel.
    async fn tracking_url(&self) -> Option<&str> {
        self.row.tracking_url.as_deref()
    }

    /// The lines of the order of which something is in it.
    async fn lines(&self, context: &Context<'_>) -> Result<Vec<OrderLine>> {
        lines_of(context, self.row.order_id, &self.lines).await
    }

    /// When it was sent.
    async fn shipped_at(&self) -> Option<DateTime> {
        self.row.shipped_at.map(DateTime)
    }
}

/// Goods of an order that come back.
pub struct Return {
    pub row: order_return::Model,
    pub lines: Vec<OrderLineId>,
}

/// Goods of an order that come back.
#[Object]
impl Return {
    /// The return's id.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// Where it is in its life.
    async fn status(&self) -> ReturnStatus {
        self.row.status.into()
    }

    /// The lines of the order of which something comes back.
    async fn lines(&self, context: &Context<'_>) -> Result<Vec<OrderLine>> {
        lines_of(context, self.row.order_id, &self.lines).await
    }

    /// Why, in the buyer's words.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// Some of an order's lines, in their order: one look-up for all shipments and returns of all orders.
async fn lines_of(
    context: &Context<'_>,
    order: common::id::OrderId,
    wanted: &[OrderLineId],
) -> Result<Vec<OrderLine>> {
    let lines = Loaders::of(context)?.lines_of.load(order).await?.unwrap_or_default();
    Ok(lines.iter().filter(|line| wanted.contains(&line.id)).cloned().map(OrderLine).collect())
}
