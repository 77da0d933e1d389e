//! The checkout: its states, and why it fails.

use common::Money;
use common::id::{CartLineId, VariantId};
use sea_orm::sea_query::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

/// Where a checkout is: each state is stored before the next step is taken, so that whoever finds the attempt knows
/// what may have been done and what must be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckoutState {
    /// Accepted. Next: freeze the cart and write the order.
    Started,
    /// The cart is frozen and the order is there. Next: set stock aside.
    OrderCreated,
    /// Stock is set aside. Next: authorise the payment.
    StockReserved,
    /// The payment was begun and nobody knows how it ended. Next: ask again.
    PaymentPending,
    /// The buyer must do something first. Next: ask again.
    ActionRequired,
    /// The money is held. Next: commit the stock and confirm the order.
    Authorized,
    /// The order is confirmed. Next: close the cart and take the money.
    Confirmed,
    /// It failed. Next: let go of money, stock and cart.
    Compensating,
    /// It failed and holds nothing.
    Failed,
}

impl CheckoutState {
    /// Whether an order was written. In `Compensating` and `Failed` it may have been.
    pub const fn has_order(self) -> bool {
        !matches!(self, Self::Started)
    }

    /// Whether it may still run out of time: from the confirmation on it goes through.
    pub const fn can_expire(self) -> bool {
        !matches!(self, Self::Authorized | Self::Confirmed | Self::Compensating | Self::Failed)
    }

    /// Whether a payment may have been begun.
    pub const fn is_paying(self) -> bool {
        matches!(self, Self::StockReserved | Self::PaymentPending | Self::ActionRequired | Self::Authorized)
    }

    /// Whether the buyer knows how it ended.
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Confirmed | Self::Compensating | Self::Failed)
    }
}

/// Why a checkout fails. Stored with the attempt, so names and fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum CheckoutRefusal {
    /// There is no such cart, or it is not the buyer's.
    CartNotFound,
    /// The cart lacks something.
    CartIncomplete {
        /// What, for the buyer to read.
        message: String,
    },
    /// Another attempt is checking the cart out.
    CartBusy,
    /// The cart was ordered or merged.
    CartGone,
    /// The cart was changed since the buyer saw it.
    CartChanged {
        /// Its version now.
        current_version: i32,
    },
    /// The cart comes to something else than the buyer saw.
    TotalMismatch {
        /// Its total now.
        current_total: Money,
        /// Its version now.
        current_version: i32,
    },
    /// There is not enough of something.
    InsufficientStock {
        /// Of what.
        variant: VariantId,
        /// The line of the cart that it stands in.
        line: Option<CartLineId>,
        /// Its name.
        title: Option<String>,
        /// How many there are.
        available: i32,
    },
    /// The stock that was set aside ran out of time before the payment went through.
    StockLost,
    /// The provider said no.
    PaymentDeclined {
        /// Why, for the buyer to read.
        message: String,
        /// Whether another try may help.
        retryable: bool,
    },
    /// The payment token is none.
    PaymentMethodInvalid,
    /// The payment was not finished in time.
    Expired,
    /// A part of the shop does not answer.
    Unavailable,
}

/// Why a request to check out does not even become an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestRefusal {
    /// An input is not as it must be.
    Invalid {
        /// Which input field.
        field: &'static str,
        /// What is wrong, for people.
        message: &'static str,
    },
    /// The key was used for another request.
    KeyReused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Iterable as _;

    #[test]
    fn a_checkout_can_run_out_of_time_only_before_the_money_is_held() {
        for state in CheckoutState::iter() {
            let open = matches!(
                state,
                CheckoutState::Started
                    | CheckoutState::OrderCreated
                    | CheckoutState::StockReserved
                    | CheckoutState::PaymentPending
                    | CheckoutState::ActionRequired
            );
            assert_eq!(state.can_expire(), open, "{state:?}");
            assert!(!(state.can_expire() && state.is_decided()), "{state:?}");
        }
    }

    #[test]
    fn a_stored_refusal_is_read_again() {
        let refusals = [
            CheckoutRefusal::CartNotFound,
            CheckoutRefusal::TotalMismatch {
                current_total: Money::new(1_999, common::Currency::EUR),
                current_version: 3,
            },
            CheckoutRefusal::PaymentDeclined { message: "No.".into(), retryable: true },
        ];
        for refusal in refusals {
            let text = serde_json::to_string(&refusal).unwrap();
            assert_eq!(serde_json::from_str::<CheckoutRefusal>(&text).unwrap(), refusal, "{text}");
        }
    }
}
