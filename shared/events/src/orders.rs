//! What `orders` publishes.

use common::id::{OrderId, OrderLineId, ProductId, UserId, VariantId};
use common::{Money, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that happened to an order, with the order as it is after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrdersEvent {
    /// What happened.
    pub change: OrderChange,
    /// The order after it.
    pub order: OrderSnapshot,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrderChange {
    /// The checkout went through: paid for and stock set aside.
    Confirmed,
    /// Nobody will get anything.
    Cancelled,
    /// Something was sent.
    Fulfilled,
    /// All of it was delivered.
    Completed,
}

impl super::Event for OrdersEvent {
    const TOPIC: &'static str = "orders";

    fn key(&self) -> String {
        self.order.id.to_string()
    }
}

/// An order as others need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderSnapshot {
    /// Which order.
    pub id: OrderId,
    /// The number that people read.
    pub number: String,
    /// Rises with every change.
    pub version: i32,
    /// Who ordered; nobody for a guest.
    pub customer: Option<UserId>,
    /// Where to write to.
    pub email: String,
    /// Language of the buyer.
    pub locale: String,
    /// What it comes to.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Where to follow the parcel.
    pub tracking_url: Option<String>,
    /// What was ordered.
    pub lines: Vec<OrderLineSnapshot>,
}

/// A line of an order as others need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLineSnapshot {
    /// Which line.
    pub id: OrderLineId,
    /// The variant.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// Name at the time.
    pub title: String,
    /// How many.
    pub quantity: i32,
    /// What the line comes to.
    pub total: Money,
}
