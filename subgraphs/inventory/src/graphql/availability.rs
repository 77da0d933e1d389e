//! Availability in the schema.

use async_graphql::SimpleObject;
use subgraph::graphql::DateTime;

use super::shown;
use crate::domain::{self, AvailabilityStatus, BackorderPolicy};
use crate::service::Counted;

/// Whether and how many of a thing can be bought.
#[derive(SimpleObject)]
pub struct Availability {
    /// In a word.
    pub status: AvailabilityStatus,
    /// Whether it can be bought now, if only to be sent later.
    pub available: bool,
    /// How many can be sent at once; null where nobody counts.
    pub quantity: Option<i32>,
    /// Most that one order may have of it.
    pub max_order_quantity: i32,
    /// When more is expected, where there is none.
    pub restock_at: Option<DateTime>,
    /// When this was so. A checkout counts again.
    pub as_of: DateTime,
}

/// How a variant is stocked.
#[derive(SimpleObject)]
pub struct InventoryPolicy {
    /// Whether anybody counts; what is not tracked can always be bought.
    pub tracked: bool,
    /// What happens when there is none left.
    pub backorder: BackorderPolicy,
    /// With this many left it counts as out of stock.
    pub out_of_stock_threshold: i32,
}

impl From<&Counted> for Availability {
    fn from(counted: &Counted) -> Self {
        let domain::Availability { status, quantity, max_order_quantity, restock_at } = counted.availability;
        Self {
            status,
            available: counted.availability.is_available(),
            quantity: quantity.map(shown),
            max_order_quantity: shown(max_order_quantity),
            restock_at: restock_at.map(DateTime),
            as_of: counted.as_of.into(),
        }
    }
}

impl From<&Counted> for InventoryPolicy {
    fn from(counted: &Counted) -> Self {
        let policy = counted.policy;
        Self {
            tracked: policy.tracked,
            backorder: policy.backorder,
            out_of_stock_threshold: policy.out_of_stock_threshold,
        }
    }
}
