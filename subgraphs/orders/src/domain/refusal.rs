//! Why a change to an order is refused.

use common::id::OrderLineId;

use super::OrderStatus;

/// Why a change to an order is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRefusal {
    /// There is no such order, or it is not the viewer's.
    NotFound,
    /// The order cannot do that in its state.
    IllegalTransition {
        /// The state it is in.
        status: OrderStatus,
    },
    /// Nothing was sent yet, so nothing can come back.
    NothingSent,
    /// It was changed since.
    VersionConflict {
        /// Its version now.
        current: i32,
    },
    /// The key was used for another request.
    KeyReused,
    /// No line is named.
    NoLines,
    /// A line that the order does not have.
    UnknownLine {
        /// Which.
        line: OrderLineId,
    },
    /// A quantity below one.
    BadQuantity {
        /// Of which line.
        line: OrderLineId,
    },
    /// More than there is.
    QuantityExceeded {
        /// Of which line.
        line: OrderLineId,
        /// How many there are.
        most: i32,
    },
    /// A text is too long.
    TooLong {
        /// Which input field.
        field: &'static str,
        /// Characters it may have.
        most: usize,
    },
}
