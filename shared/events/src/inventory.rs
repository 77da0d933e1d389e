//! What `inventory` publishes.

use common::Timestamp;
use common::id::{ProductId, VariantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stock of a variant changed so far that a shopper would see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryEvent {
    /// Which variant.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// Whether it can be bought now.
    pub available: bool,
    /// How many can be promised in all locations.
    pub quantity: i64,
    /// When that was so.
    pub as_of: Timestamp,
}

impl super::Event for InventoryEvent {
    const TOPIC: &'static str = "inventory";

    fn key(&self) -> String {
        self.variant.to_string()
    }
}
