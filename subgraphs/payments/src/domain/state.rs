//! The states of payments, transactions and refunds.

use async_graphql::Enum;
use sea_orm::entity::prelude::*;

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum PaymentState {
    /// The provider has not answered yet.
    #[sea_orm(string_value = "CREATED")]
    Created,
    /// The buyer must do something first.
    #[sea_orm(string_value = "REQUIRES_ACTION")]
    RequiresAction,
    /// The money is held.
    #[sea_orm(string_value = "AUTHORIZED")]
    Authorized,
    /// A part of what is held was taken.
    #[sea_orm(string_value = "PARTIALLY_CAPTURED")]
    PartiallyCaptured,
    /// The money was taken.
    #[sea_orm(string_value = "CAPTURED")]
    Captured,
    /// What was held was let go.
    #[sea_orm(string_value = "VOIDED")]
    Voided,
    /// Nothing was ever held.
    #[sea_orm(string_value = "FAILED")]
    Failed,
    /// The buyer had the money called back.
    #[sea_orm(string_value = "DISPUTED")]
    Disputed,
}

/// A step that the state machine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payment does not go from {from:?} to {to:?}")]
pub struct IllegalTransition {
    /// Where it is.
    pub from: PaymentState,
    /// Where it was to go.
    pub to: PaymentState,
}

impl PaymentState {
    /// The state machine: the next state, if there is a step to it. Staying is always possible.
    pub fn step(self, to: Self) -> Result<Self, IllegalTransition> {
        use PaymentState::{
            Authorized, Captured, Created, Disputed, Failed, PartiallyCaptured, RequiresAction, Voided,
        };
        let possible: &[Self] = match self {
            Created => &[RequiresAction, Authorized, Failed],
            RequiresAction => &[Authorized, Failed],
            Authorized => &[PartiallyCaptured, Captured, Voided],
            PartiallyCaptured => &[Captured, Disputed],
            Captured => &[Disputed],
            Voided | Failed | Disputed => &[],
        };
        if self == to || possible.contains(&to) { Ok(to) } else { Err(IllegalTransition { from: self, to }) }
    }
}

/// What a transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum TransactionKind {
    /// Holds money.
    #[sea_orm(string_value = "AUTHORIZE")]
    Authorize,
    /// Takes what is held.
    #[sea_orm(string_value = "CAPTURE")]
    Capture,
    /// Lets go of what is held.
    #[sea_orm(string_value = "VOID")]
    Void,
    /// Gives back what was taken.
    #[sea_orm(string_value = "REFUND")]
    Refund,
    /// The buyer calls back what was taken.
    #[sea_orm(string_value = "CHARGEBACK")]
    Chargeback,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum TransactionState {
    /// The provider, or the buyer, has not answered.
    #[sea_orm(string_value = "PENDING")]
    Pending,
    /// It was done.
    #[sea_orm(string_value = "SUCCEEDED")]
    Succeeded,
    /// It was not done and will not be.
    #[sea_orm(string_value = "FAILED")]
    Failed,
}

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum RefundState {
    /// The provider has not answered.
    #[sea_orm(string_value = "PENDING")]
    Pending,
    /// The money was given back.
    #[sea_orm(string_value = "SUCCEEDED")]
    Succeeded,
    /// The money was not given back and will not be.
    #[sea_orm(string_value = "FAILED")]
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Iterable as _;

    #[test]
    fn a_payment_takes_the_steps_of_the_table_and_no_others() {
        use PaymentState::{
            Authorized, Captured, Created, Disputed, Failed, PartiallyCaptured, RequiresAction, Voided,
        };
        let steps = [
            (Created, RequiresAction),
            (Created, Authorized),
            (Created, Failed),
            (RequiresAction, Authorized),
            (RequiresAction, Failed),
            (Authorized, PartiallyCaptured),
            (Authorized, Captured),
            (Authorized, Voided),
            (PartiallyCaptured, Captured),
            (PartiallyCaptured, Disputed),
            (Captured, Disputed),
        ];
        for from in PaymentState::iter() {
            for to in PaymentState::iter() {
                let allowed = from == to || steps.contains(&(from, to));
                assert_eq!(from.step(to).is_ok(), allowed, "{from:?} to {to:?}");
            }
        }
    }
}
