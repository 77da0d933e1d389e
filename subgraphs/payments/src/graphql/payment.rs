//! Payments, transactions and refunds in the schema.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use subgraph::graphql::{DateTime, Money};

use super::loader::Loaders;
use crate::domain::{PaymentState, RefundState, TransactionKind, TransactionState};
use crate::entity::{payment, refund, transaction};

/// What is paid for an order by one attempt to check out.
pub struct Payment(Box<payment::Model>);

impl From<payment::Model> for Payment {
    fn from(row: payment::Model) -> Self {
        Self(Box::new(row))
    }
}

/// What is paid for an order by one attempt to check out.
#[Object]
impl Payment {
    /// The payment's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Where it is in its life.
    async fn state(&self) -> PaymentState {
        self.0.state
    }

    /// What is held and was not taken yet.
    async fn authorized(&self) -> Money {
        self.0.money(self.0.balance().held()).into()
    }

    /// What was taken.
    async fn captured(&self) -> Money {
        self.0.money(self.0.captured).into()
    }

    /// What was given back.
    async fn refunded(&self) -> Money {
        self.0.money(self.0.refunded).into()
    }

    /// What may still be given back.
    async fn refundable(&self) -> Money {
        self.0.money(self.0.balance().refundable()).into()
    }

    /// How it is paid: `card`.
    async fn method(&self) -> &str {
        &self.0.method
    }

    /// The last four digits of the card.
    async fn last4(&self) -> Option<&str> {
        self.0.last4.as_deref()
    }

    /// Every movement of money, oldest first.
    async fn transactions(&self, context: &Context<'_>) -> Result<Vec<PaymentTransaction>> {
        let rows = Loaders::of(context)?.transactions.load(self.0.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(|row| PaymentTransaction::new(&self.0, row)).collect())
    }

    /// What is or was to be given back, oldest first.
    async fn refunds(&self, context: &Context<'_>) -> Result<Vec<Refund>> {
        let rows = Loaders::of(context)?.refunds_of.load(self.0.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Refund::from).collect())
    }
}

/// A movement of money.
#[derive(SimpleObject)]
pub struct PaymentTransaction {
    /// The transaction's id; the provider knows the movement by it.
    pub id: ID,
    /// What it does.
    pub kind: TransactionKind,
    /// How far it is.
    pub state: TransactionState,
    /// How much it moves.
    pub amount: Money,
    /// The provider's own name for the payment.
    pub provider_reference: Option<String>,
    /// When it was begun.
    pub at: DateTime,
}

impl PaymentTransaction {
    fn new(payment: &payment::Model, row: transaction::Model) -> Self {
        Self {
            id: row.id.into(),
            kind: row.kind,
            state: row.state,
            amount: payment.money(row.amount).into(),
            provider_reference: row.reference,
            at: row.at.into(),
        }
    }
}

/// Money that is given back.
#[derive(SimpleObject)]
pub struct Refund {
    /// The refund's id.
    #[graphql(owned)]
    pub id: ID,
    /// How far it is.
    pub state: RefundState,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// When it was begun.
    pub created_at: DateTime,
}

impl From<refund::Model> for Refund {
    fn from(row: refund::Model) -> Self {
        Self {
            id: row.id.into(),
            state: row.state,
            amount: common::Money::new(row.amount, row.currency).into(),
            reason: row.reason,
            created_at: row.created_at.into(),
        }
    }
}

/// How an order is paid for, all its payments together.
#[derive(SimpleObject)]
pub struct PaymentSummary {
    /// What is still to be paid.
    pub due: Money,
    /// What was taken.
    pub captured: Money,
    /// What was given back.
    pub refunded: Money,
}

impl PaymentSummary {
    /// The sums of payments; none where there are none.
    pub fn of(payments: &[payment::Model]) -> Option<Self> {
        let last = payments.last()?;
        let sum = |of: &dyn Fn(&payment::Model) -> i64| last.money(payments.iter().map(of).sum()).into();
        Some(Self {
            due: sum(&|payment| payment.balance().due()),
            captured: sum(&|payment| payment.captured),
            refunded: sum(&|payment| payment.refunded),
        })
    }
}

/// What the buyer must do before money can be held.
#[derive(SimpleObject)]
pub struct PaymentClientAction {
    /// What kind of thing: `REDIRECT`.
    pub kind: String,
    /// What the buyer's client proves itself with at the provider.
    pub client_secret: Option<String>,
    /// Where the buyer is to go.
    pub redirect_url: Option<String>,
}

impl PaymentClientAction {
    /// What a payment waits for, where it does.
    pub fn of(payment: payment::Model) -> Option<Self> {
        (payment.state == PaymentState::RequiresAction).then(|| Self {
            kind: "REDIRECT".to_owned(),
            client_secret: payment.client_secret,
            redirect_url: payment.redirect_url,
        })
    }
}
