//! The rules of stock, without I/O.

mod allocation;
mod availability;
mod reservation;

pub use allocation::{Shelf, allocate, share_out};
pub use availability::{Availability, AvailabilityStatus, BackorderPolicy, Policy, best, is_visible_change};
pub use reservation::{HoldState, ReservationState};

use common::id::VariantId;

/// Why stock is not set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReserveRefusal {
    /// There is not enough of this.
    Insufficient {
        /// Of what.
        variant: VariantId,
        /// How many there are.
        available: i32,
    },
    /// It was set aside before and is given back since.
    Gone,
}

/// Why a reservation cannot be committed: it expired or was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

/// Why an adjustment of stock is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustRefusal {
    /// The change is of nothing, or of more than a stock can hold.
    BadDelta,
    /// The reason is empty or too long.
    BadReason,
    /// There is no such variant.
    UnknownVariant,
    /// There is no such location.
    UnknownLocation,
    /// More would go than is there and not promised to somebody.
    Insufficient {
        /// How many may go.
        available: i64,
    },
    /// Another quantity is there than was seen.
    QuantityConflict {
        /// How many are there.
        on_hand: i32,
    },
    /// The key was used for another request.
    KeyReused,
}

/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;
/// The largest change at once.
const LARGEST_DELTA: i32 = 1_000_000;

/// Checks what a member of staff says about a change of stock.
pub fn check_adjustment(delta: i32, reason: &str) -> Result<(), AdjustRefusal> {
    if delta == 0 || !(-LARGEST_DELTA..=LARGEST_DELTA).contains(&delta) {
        return Err(AdjustRefusal::BadDelta);
    }
    let length = reason.trim().chars().count();
    if (1..=LONGEST_REASON).contains(&length) { Ok(()) } else { Err(AdjustRefusal::BadReason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjustment_changes_something_for_a_reason() {
        for (delta, reason, expected) in [
            (1, "counted", Ok(())),
            (0, "counted", Err(AdjustRefusal::BadDelta)),
            (i32::MIN, "counted", Err(AdjustRefusal::BadDelta)),
            (-3, "  ", Err(AdjustRefusal::BadReason)),
        ] {
            assert_eq!(check_adjustment(delta, reason), expected, "{delta} {reason}");
        }
        assert_eq!(check_adjustment(1, &"x".repeat(201)), Err(AdjustRefusal::BadReason));
    }
}
