//! What `orders` asks of `inventory` during a checkout.

use common::Timestamp;
use common::id::{CartLineId, OrderId, ReservationId, VariantId};
use serde::{Deserialize, Serialize};

use super::Call;

/// Sets stock aside for an order, all lines or none. Asked again for the same order, it answers the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReserveStock {
    /// For which order.
    pub order: OrderId,
    /// What and how many; the same variant may come more than once.
    pub lines: Vec<ReserveLine>,
    /// Where the goods are sent, ISO 3166-1 alpha-2.
    pub country: String,
    /// When it is free again unless committed.
    pub expires_at: Timestamp,
}

/// One variant to set aside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReserveLine {
    /// The line of the cart that shows what is set aside for it.
    #[serde(default)]
    pub line: Option<CartLineId>,
    /// Which.
    pub variant: VariantId,
    /// How many.
    pub quantity: i32,
}

/// What comes of setting aside.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ReserveStockReply {
    /// All of it.
    Reserved {
        /// What holds it.
        reservations: Vec<ReservationId>,
    },
    /// Nothing, because there is not enough of this.
    Insufficient {
        /// Of what.
        variant: VariantId,
        /// How many there are.
        available: i32,
    },
    /// It was set aside and has expired or been released since.
    Gone,
}

impl Call for ReserveStock {
    const SUBGRAPH: &'static str = "inventory";
    const DOCUMENT: &'static str =
        "mutation StockReserve($request: ServiceCall!) { reply: stockReserve(request: $request) }";
    type Reply = ReserveStockReply;
}

/// Turns an order's reservations into allocations that do not expire.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitStock {
    /// Of which order.
    pub order: OrderId,
}

/// What comes of committing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitStockReply {
    /// Done, now or before.
    Committed,
    /// It expired before.
    Expired,
}

impl Call for CommitStock {
    const SUBGRAPH: &'static str = "inventory";
    const DOCUMENT: &'static str =
        "mutation StockCommit($request: ServiceCall!) { reply: stockCommit(request: $request) }";
    type Reply = CommitStockReply;
}

/// Gives back what is set aside or allocated for an order. Does nothing if nothing is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleaseStock {
    /// Of which order.
    pub order: OrderId,
}

impl Call for ReleaseStock {
    const SUBGRAPH: &'static str = "inventory";
    const DOCUMENT: &'static str =
        "mutation StockRelease($request: ServiceCall!) { reply: stockRelease(request: $request) }";
    type Reply = ();
}
