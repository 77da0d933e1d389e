//! Lines of orders.

use std::sync::Arc;

use async_graphql::{ID, Object};
use subgraph::graphql::Money;

use super::reference::ProductVariant;
use crate::entity::order_line;

/// A line of an order: so many of a variant, as they were bought.
pub struct OrderLine(pub Arc<order_line::Model>);

/// A line of an order: so many of a variant, as they were bought.
#[Object]
impl OrderLine {
    /// The line's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What was bought, as it is in the catalogue now.
    async fn variant(&self) -> Option<ProductVariant> {
        Some(ProductVariant { id: self.0.variant_id.into() })
    }

    /// The stock keeping unit at the time.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// The name at the time.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// How many were ordered.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// How many of them were sent.
    async fn quantity_fulfilled(&self) -> i32 {
        self.0.fulfilled
    }

    /// How many of them came back.
    async fn quantity_returned(&self) -> i32 {
        self.0.returned
    }

    /// How many of them will never be sent.
    async fn quantity_cancelled(&self) -> i32 {
        self.0.cancelled
    }

    /// The price of one at the time.
    async fn unit_price(&self) -> Money {
        self.0.money(self.0.unit_price).into()
    }

    /// What promotions took off the line, as a positive amount.
    async fn discount(&self) -> Money {
        self.0.money(self.0.discount).into()
    }

    /// The tax of the line.
    async fn tax(&self) -> Money {
        self.0.money(self.0.tax).into()
    }

    /// What the line comes to: price times quantity less discount.
    async fn total(&self) -> Money {
        self.0.money(self.0.total).into()
    }
}
