//! What promotions took off.

use async_graphql::{ID, SimpleObject};
use common::Currency;
use subgraph::graphql::Money;

use crate::domain::Application;

/// A promotion that applies, and what it takes off.
#[derive(SimpleObject)]
pub struct PromotionApplication {
    /// Which promotion.
    pub promotion_id: ID,
    /// The code by which it was claimed; null where it needs none.
    pub code: Option<String>,
    /// The promotion's name.
    pub title: String,
    /// What it takes off, as a positive amount. Of a promotion that pays for delivery: what it takes off the cost of
    /// the chosen delivery option.
    pub amount: Money,
}

impl PromotionApplication {
    /// An application with its amount in the currency.
    pub fn new(application: &Application, currency: Currency) -> Self {
        Self {
            promotion_id: application.promotion.into(),
            code: application.code.clone(),
            title: application.title.clone(),
            amount: common::Money::new(application.amount_minor, currency).into(),
        }
    }
}
