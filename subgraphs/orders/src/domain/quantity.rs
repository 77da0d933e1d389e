//! Quantities of an order's lines: what is left to send, and what the whole order amounts to.

use std::collections::BTreeMap;

use common::id::OrderLineId;

use super::{FulfillmentStatus, OrderRefusal};

/// The quantities of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineQuantities {
    /// Ordered.
    pub ordered: i32,
    /// Sent.
    pub fulfilled: i32,
    /// Come back.
    pub returned: i32,
    /// Never to be sent.
    pub cancelled: i32,
}

impl LineQuantities {
    /// What is left to send.
    pub const fn open(self) -> i32 {
        self.ordered - self.fulfilled - self.cancelled
    }
}

/// The fulfilment status of an order with these lines: a projection, never set by itself. `delivered` says whether
/// every shipment has arrived.
pub fn fulfillment_status(lines: &[LineQuantities], delivered: bool) -> FulfillmentStatus {
    let sum = |of: fn(&LineQuantities) -> i32| lines.iter().map(|line| i64::from(of(line))).sum::<i64>();
    let (fulfilled, returned) = (sum(|line| line.fulfilled), sum(|line| line.returned));
    let open = sum(|line| line.open());
    match (fulfilled, open) {
        (0, _) => FulfillmentStatus::Unfulfilled,
        (_, 0) if returned >= fulfilled => FulfillmentStatus::Returned,
        (_, 0) if delivered => FulfillmentStatus::Delivered,
        (_, 0) => FulfillmentStatus::Fulfilled,
        _ => FulfillmentStatus::Partial,
    }
}

/// Checks that `wanted` names lines of the order and asks for no more than `limit` says of each, and adds up what names
/// the same line twice.
pub fn open_quantities(
    wanted: &[(OrderLineId, i32)],
    limit: impl Fn(OrderLineId) -> Option<i32>,
) -> Result<BTreeMap<OrderLineId, i32>, OrderRefusal> {
    if wanted.is_empty() {
        return Err(OrderRefusal::NoLines);
    }
    let mut sums: BTreeMap<OrderLineId, i32> = BTreeMap::new();
    for (line, quantity) in wanted {
        if *quantity < 1 {
            return Err(OrderRefusal::BadQuantity { line: *line });
        }
        let sum = sums.entry(*line).or_default();
        *sum = sum.saturating_add(*quantity);
    }
    for (line, quantity) in &sums {
        let most = limit(*line).ok_or(OrderRefusal::UnknownLine { line: *line })?;
        if *quantity > most {
            return Err(OrderRefusal::QuantityExceeded { line: *line, most: most.max(0) });
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn the_fulfilment_status_follows_the_lines() {
        let line = |ordered, fulfilled, returned, cancelled| LineQuantities {
            ordered,
            fulfilled,
            returned,
            cancelled,
        };
        for (lines, delivered, status) in [
            (vec![line(2, 0, 0, 0)], false, FulfillmentStatus::Unfulfilled),
            (vec![line(2, 0, 0, 2)], false, FulfillmentStatus::Unfulfilled),
            (vec![line(2, 1, 0, 0)], true, FulfillmentStatus::Partial),
            (vec![line(2, 2, 0, 0), line(1, 0, 0, 0)], true, FulfillmentStatus::Partial),
            (vec![line(2, 1, 0, 1)], false, FulfillmentStatus::Fulfilled),
            (vec![line(2, 2, 1, 0)], true, FulfillmentStatus::Delivered),
            (vec![line(2, 2, 2, 0)], true, FulfillmentStatus::Returned),
        ] {
            assert_eq!(fulfillment_status(&lines, delivered), status, "{lines:?}");
        }
    }

    #[test]
    fn nobody_gets_more_of_a_line_than_is_open() {
        let ids = Ids::counted();
        let [one, two, foreign]: [OrderLineId; 3] = [ids.next(), ids.next(), ids.next()];
        let limit = |line| [(one, 2), (two, 0)].into_iter().find(|(id, _)| *id == line).map(|(_, most)| most);
        assert_eq!(open_quantities(&[(one, 1), (one, 1)], limit), Ok(BTreeMap::from([(one, 2)])));
        for (wanted, refusal) in [
            (vec![], OrderRefusal::NoLines),
            (vec![(one, 0)], OrderRefusal::BadQuantity { line: one }),
            (vec![(one, 2), (one, 1)], OrderRefusal::QuantityExceeded { line: one, most: 2 }),
            (vec![(two, 1)], OrderRefusal::QuantityExceeded { line: two, most: 0 }),
            (vec![(foreign, 1)], OrderRefusal::UnknownLine { line: foreign }),
            (vec![(one, i32::MAX), (one, i32::MAX)], OrderRefusal::QuantityExceeded { line: one, most: 2 }),
        ] {
            assert_eq!(open_quantities(&wanted, limit), Err(refusal), "{wanted:?}");
        }
    }
}
