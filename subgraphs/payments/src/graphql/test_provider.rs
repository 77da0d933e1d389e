//! The test provider's book in the schema.

use async_graphql::SimpleObject;
use subgraph::graphql::{DateTime, Money};

use crate::domain::TransactionKind;
use crate::entity::provider_charge;
use crate::provider::ChargeOutcome;

/// A movement that the test provider was asked for.
#[derive(SimpleObject)]
pub struct TestProviderCharge {
    /// The key it was asked with.
    pub key: String,
    /// What it does.
    pub kind: TransactionKind,
    /// How it stands.
    pub outcome: ChargeOutcome,
    /// How much it moves.
    pub amount: Money,
    /// The provider's own name for the payment.
    pub reference: String,
    /// How often it was asked for.
    pub calls: i32,
    /// When it was first asked for.
    pub at: DateTime,
}

impl From<provider_charge::Model> for TestProviderCharge {
    fn from(row: provider_charge::Model) -> Self {
        Self {
            key: row.idempotency_key,
            kind: row.kind,
            outcome: row.outcome,
            amount: common::Money::new(row.amount, row.currency).into(),
            reference: row.reference,
            calls: row.calls,
            at: row.at.into(),
        }
    }
}
