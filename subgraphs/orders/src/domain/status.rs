//! States of orders and returns, and which may follow which.

use sea_orm::sea_query::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Its checkout runs.
    Pending,
    /// Paid for, with stock set aside.
    Confirmed,
    /// Some of it was sent.
    Processing,
    /// All of it was sent.
    Completed,
    /// Nobody gets anything.
    Cancelled,
    /// Its checkout was not finished in time.
    Expired,
}

/// How an order stands with its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FinancialStatus {
    /// Nothing is held or taken.
    Unpaid,
    /// The money is held.
    Authorized,
    /// Some of the money is taken.
    PartiallyPaid,
    /// All of the money is taken.
    Paid,
    /// Some of what was taken was given back.
    PartiallyRefunded,
    /// All that was taken was given back.
    Refunded,
    /// What was held was let go.
    Voided,
    /// The buyer's bank asks for the money back.
    Disputed,
}

/// How far the goods of an order, or of one shipment, have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FulfillmentStatus {
    /// Nothing was sent.
    Unfulfilled,
    /// Some was sent.
    Partial,
    /// All was sent.
    Fulfilled,
    /// All has arrived.
    Delivered,
    /// All came back.
    Returned,
}

/// Where a return is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnStatus {
    /// The buyer asks for it.
    Requested,
    /// The buyer may send the goods.
    Approved,
    /// The buyer may not.
    Declined,
    /// The goods have arrived.
    Received,
    /// Nothing is left to do.
    Closed,
    /// The buyer keeps the goods after all.
    Cancelled,
}

/// The states that an order may go to from `status`. What was sent cannot be cancelled.
pub const fn allowed_transitions(status: OrderStatus, shipped: bool) -> &'static [OrderStatus] {
    use OrderStatus::{Cancelled, Completed, Confirmed, Expired, Pending, Processing};
    match (status, shipped) {
        (Pending, _) => &[Confirmed, Cancelled, Expired],
        (Confirmed, false) => &[Processing, Cancelled],
        (Confirmed, true) => &[Processing],
        (Processing, false) => &[Completed, Cancelled],
        (Processing, true) => &[Completed],
        (Completed | Cancelled | Expired, _) => &[],
    }
}

impl OrderStatus {
    /// Whether nobody will get anything.
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired)
    }
}

impl ReturnStatus {
    /// Whether the goods of it may still come back, or have.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Declined | Self::Cancelled)
    }
}

/// How a payment stands, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaymentFigures {
    /// Held but not taken.
    pub authorized: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// What was held was let go.
    pub voided: bool,
    /// The buyer's bank asks for the money back.
    pub disputed: bool,
}

/// The financial status of an order that comes to `total`: a projection of its payment, never set by itself.
pub const fn financial_status(total: i64, figures: PaymentFigures) -> FinancialStatus {
    let PaymentFigures { authorized, captured, refunded, voided, disputed } = figures;
    if disputed {
        FinancialStatus::Disputed
    } else if captured > 0 && refunded >= captured {
        FinancialStatus::Refunded
    } else if captured > 0 && refunded > 0 {
        FinancialStatus::PartiallyRefunded
    } else if captured >= total {
        FinancialStatus::Paid
    } else if captured > 0 {
        FinancialStatus::PartiallyPaid
    } else if authorized > 0 {
        FinancialStatus::Authorized
    } else if voided {
        FinancialStatus::Voided
    } else {
        FinancialStatus::Unpaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Iterable as _;

    #[test]
    fn an_order_goes_where_the_table_says_and_nowhere_else() {
        use OrderStatus::{Cancelled, Completed, Confirmed, Expired, Pending, Processing};
        let table = [
            (Pending, false, vec![Confirmed, Cancelled, Expired]),
            (Confirmed, false, vec![Processing, Cancelled]),
            (Processing, false, vec![Completed, Cancelled]),
            (Processing, true, vec![Completed]),
            (Completed, true, vec![]),
            (Cancelled, false, vec![]),
            (Expired, false, vec![]),
        ];
        for (from, shipped, to) in table {
            for target in OrderStatus::iter() {
                let allowed = allowed_transitions(from, shipped).contains(&target);
                assert_eq!(allowed, to.contains(&target), "{from:?} -> {target:?}");
            }
        }
    }

    #[test]
    fn terminal_states_lead_nowhere() {
        for status in OrderStatus::iter() {
            let terminal = matches!(status, OrderStatus::Completed) || status.is_dead();
            assert_eq!(allowed_transitions(status, false).is_empty(), terminal, "{status:?}");
        }
    }

    #[test]
    fn the_financial_status_follows_the_payment() {
        let figures = |authorized, captured, refunded| PaymentFigures {
            authorized,
            captured,
            refunded,
            ..PaymentFigures::default()
        };
        for (payment, status) in [
            (figures(0, 0, 0), FinancialStatus::Unpaid),
            (figures(100, 0, 0), FinancialStatus::Authorized),
            (figures(60, 40, 0), FinancialStatus::PartiallyPaid),
            (figures(0, 100, 0), FinancialStatus::Paid),
            (figures(0, 100, 1), FinancialStatus::PartiallyRefunded),
            (figures(60, 40, 40), FinancialStatus::Refunded),
            (figures(0, 100, 100), FinancialStatus::Refunded),
            (PaymentFigures { voided: true, ..figures(0, 0, 0) }, FinancialStatus::Voided),
            (PaymentFigures { disputed: true, ..figures(0, 100, 100) }, FinancialStatus::Disputed),
        ] {
            assert_eq!(financial_status(100, payment), status, "{payment:?}");
        }
        assert_eq!(financial_status(0, figures(0, 0, 0)), FinancialStatus::Paid, "nothing to pay is paid");
    }
}
