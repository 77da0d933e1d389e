//! What `payments` publishes.

use common::Money;
use common::id::{OrderId, PaymentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A payment as it is after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentsEvent {
    /// Which payment.
    pub payment: PaymentId,
    /// The order that is paid for.
    pub order: OrderId,
    /// Rises with every change.
    pub version: i32,
    /// The payment's state, as in the schema: `AUTHORIZED`, `CAPTURED`, …
    pub state: String,
    /// Held but not taken.
    pub authorized: Money,
    /// Taken.
    pub captured: Money,
    /// Given back.
    pub refunded: Money,
}

impl super::Event for PaymentsEvent {
    const TOPIC: &'static str = "payments";

    fn key(&self) -> String {
        self.order.to_string()
    }
}
