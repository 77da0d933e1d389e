//! Taking what is held and giving back what was taken: by staff, and at the end of a checkout.

use std::time::Duration;

use common::id::{OrderId, PaymentId, ReturnId};
use common::{Failure, Fault, FaultCode, Money, settle};
use data_encoding::HEXLOWER;
use database::{ScopedFutureExt, Tx};
use events::calls::payments::PaymentStanding;
use sea_orm::EntityTrait as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::cancel::standing_of;
use super::{HEAD_START, PATIENCE, Payments};
use crate::domain::{PaymentState, RefundState, Refusal, TransactionKind, TransactionState};
use crate::entity::{payment, refund, transaction};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// A wish to take what is held.
#[derive(Debug, Clone, Serialize)]
pub struct Capture {
    /// Of which payment.
    pub payment: PaymentId,
    /// How much; all of it where missing.
    pub amount: Option<Money>,
}

/// A wish to give back what was taken.
#[derive(Debug, Clone, Serialize)]
pub struct NewRefund {
    /// Of which payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// For which return.
    pub returned: Option<ReturnId>,
    /// Why.
    pub reason: Option<String>,
}

/// What comes of giving back.
#[derive(Debug)]
pub struct Refunded {
    /// The refund.
    pub refund: refund::Model,
    /// The payment after it.
    pub payment: payment::Model,
}

/// A movement that is to be written before the provider is asked for it.
pub(super) struct NewMovement<'a> {
    pub kind: TransactionKind,
    pub amount: i64,
    pub key: String,
    pub request_hash: String,
    pub refund: Option<&'a refund::Model>,
    /// How long the worker leaves it to the caller.
    pub head_start: Duration,
}

impl Payments {
    /// Takes what is held, as a member of staff wants it.
    pub async fn capture(
        &self,
        actor: &str,
        key: &str,
        wish: &Capture,
    ) -> Result<Result<(payment::Model, TransactionState), Refusal>, Fault> {
        let request = &Request::new(actor, key, wish)?;
        let begun =
            self.ports.database.transaction(|tx| self.begin_capture(tx, request, wish).scope_boxed()).await;
        let (payment, transaction) = match settle(begun)? {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (payment, transaction) = self.perform(payment, transaction, PATIENCE).await?;
        Ok(Ok((payment, transaction.state)))
    }

    async fn begin_capture(
        &self,
        tx: &Tx,
        request: &Request,
        wish: &Capture,
    ) -> Result<(payment::Model, transaction::Model), Failure<Refusal>> {
        let mut payment = lock_wanted(tx, wish.payment).await?;
        if let Some(known) = request.known(tx, TransactionKind::Capture).await? {
            return Ok((payment, known));
        }
        let amount = match wish.amount {
            Some(amount) => in_currency(&payment, amount)?,
            None => payment.balance().capturable(),
        };
        let movement = request.movement(TransactionKind::Capture, amount, None);
        let transaction = self.begin(tx, &mut payment, movement).await?;
        Ok((payment, transaction))
    }

    /// Gives back what was taken, as a member of staff wants it.
    pub async fn refund(
        &self,
        actor: &str,
        key: &str,
        wish: &NewRefund,
    ) -> Result<Result<Refunded, Refusal>, Fault> {
        if wish.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
            return Ok(Err(Refusal::BadReason));
        }
        let request = &Request::new(actor, key, wish)?;
        let begun =
            self.ports.database.transaction(|tx| self.begin_refund(tx, request, wish).scope_boxed()).await;
        let (payment, transaction) = match settle(begun)? {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (payment, transaction) = self.perform(payment, transaction, PATIENCE).await?;
        let id = transaction.refund_id.ok_or_else(|| Fault::internal("a refund without its row"))?;
        let refund = refund::by_ids(self.ports.database.schema(), vec![id]).await?.pop();
        let refund = refund.ok_or_else(|| Fault::internal("a refund without its row"))?;
        Ok(Ok(Refunded { refund, payment }))
    }

    async fn begin_refund(
        &self,
        tx: &Tx,
        request: &Request,
        wish: &NewRefund,
    ) -> Result<(payment::Model, transaction::Model), Failure<Refusal>> {
        let mut payment = lock_wanted(tx, wish.payment).await?;
        if let Some(known) = request.known(tx, TransactionKind::Refund).await? {
            return Ok((payment, known));
        }
        let amount = in_currency(&payment, wish.amount)?;
        let refund = self.new_refund(&payment, amount, wish.returned, wish.reason.clone());
        let movement = request.movement(TransactionKind::Refund, amount, Some(&refund));
        let transaction = self.begin(tx, &mut payment, movement).await?;
        Ok((payment, transaction))
    }

    /// Takes the held money of an order at the end of its checkout. An order whose money is taken is left alone.
    pub async fn take(&self, order: OrderId) -> Result<PaymentStanding, Fault> {
        let begun: Result<_, Fault> =
            self.ports.database.transaction(|tx| self.begin_take(tx, order).scope_boxed()).await;
        let (begun, others) = begun?;
        let mut taken = Vec::new();
        for (payment, transaction) in begun {
            let (payment, transaction) = self.perform(payment, transaction, PATIENCE).await?;
            if transaction.state == TransactionState::Pending {
                return Err(Fault::unavailable("The payment provider", "the capture is not answered yet"));
            }
            taken.push(payment);
        }
        if others == 0 && !taken.is_empty() { Ok(standing_of(&taken)) } else { self.standing(order).await }
    }

    /// Begins to take what is held of each payment of an order, and says how many others it has.
    async fn begin_take(
        &self,
        tx: &Tx,
        order: OrderId,
    ) -> Result<(Vec<(payment::Model, transaction::Model)>, usize), Fault> {
        let (mut begun, mut others) = (Vec::new(), 0);
        for mut payment in payment::lock_of_order(tx, order).await? {
            let taken = !matches!(payment.state, PaymentState::Authorized | PaymentState::PartiallyCaptured);
            if payment.cancelled || taken {
                others += 1;
                continue;
            }
            let known = match payment.capture_pending {
                0 => Vec::new(),
                _ => transaction::of_payments(tx, vec![payment.id]).await?,
            };
            let under_way = known.iter().find(|known| {
                known.kind == TransactionKind::Capture && known.state == TransactionState::Pending
            });
            let transaction = match under_way {
                Some(transaction) => transaction.clone(),
                None => {
                    let movement = NewMovement {
                        kind: TransactionKind::Capture,
                        amount: payment.balance().capturable(),
                        // A capture that failed is another one the next time: it has raised the version.
                        key: format!("take:{}:v{}", payment.id, payment.version),
                        request_hash: String::new(),
                        refund: None,
                        head_start: HEAD_START,
                    };
                    self.begin(tx, &mut payment, movement).await.map_err(no_refusal)?
                }
            };
            begun.push((payment, transaction));
        }
        Ok((begun, others))
    }

    /// Writes a movement, so that it is known before the provider is asked for it.
    pub(super) async fn begin(
        &self,
        tx: &Tx,
        payment: &mut payment::Model,
        movement: NewMovement<'_>,
    ) -> Result<transaction::Model, Failure<Refusal>> {
        let balance = payment.balance().begin(movement.kind, movement.amount).map_err(Failure::Refused)?;
        payment.set_balance(balance);
        self.save(tx, payment).await?;
        if let Some(refund) = movement.refund {
            let row = refund::ActiveModel::from(refund.clone());
            refund::Entity::insert(row).exec_without_returning(tx).await?;
        }
        let now = self.ports.clock.now();
        let transaction = transaction::Model {
            id: self.ports.ids.next(),
            payment_id: payment.id,
            kind: movement.kind,
            state: TransactionState::Pending,
            amount: movement.amount,
            idempotency_key: movement.key,
            request_hash: movement.request_hash,
            refund_id: movement.refund.map(|refund| refund.id),
            reference: None,
            due_at: Some(now.plus(movement.head_start)),
            tries: 0,
            at: now,
        };
        let row = transaction::ActiveModel::from(transaction.clone());
        match transaction::Entity::insert(row).exec_without_returning(tx).await {
            // The same key at the same moment for another payment: try anew and find it.
            Err(error) if database::is_duplicate(&error) => {
                Err(Fault::new(FaultCode::Conflict, "The key was used at the same moment.").into())
            }
            inserted => {
                inserted?;
                Ok(transaction)
            }
        }
    }

    pub(super) fn new_refund(
        &self,
        payment: &payment::Model,
        amount: i64,
        return_id: Option<ReturnId>,
        reason: Option<String>,
    ) -> refund::Model {
        refund::Model {
            id: self.ports.ids.next(),
            payment_id: payment.id,
            customer_id: payment.customer_id,
            return_id,
            state: RefundState::Pending,
            amount,
            currency: payment.currency,
            reason,
            created_at: self.ports.clock.now(),
        }
    }
}

/// A request under a client's idempotency key.
struct Request {
    key: String,
    hash: String,
}

impl Request {
    fn new(actor: &str, key: &str, wish: &impl Serialize) -> Result<Self, Fault> {
        let wish = serde_json::to_vec(wish).map_err(Fault::internal)?;
        let key = HEXLOWER.encode(&Sha256::digest(format!("{}:{actor}:{key}", actor.len())));
        Ok(Self { key, hash: HEXLOWER.encode(&Sha256::digest(wish)) })
    }

    /// The movement that was begun for it before.
    async fn known(
        &self,
        tx: &Tx,
        kind: TransactionKind,
    ) -> Result<Option<transaction::Model>, Failure<Refusal>> {
        match transaction::by_key(tx, kind, &self.key).await? {
            Some(known) if known.request_hash != self.hash => Err(Failure::Refused(Refusal::KeyReused)),
            known => Ok(known),
        }
    }

    fn movement<'a>(
        &self,
        kind: TransactionKind,
        amount: i64,
        refund: Option<&'a refund::Model>,
    ) -> NewMovement<'a> {
        let (key, request_hash) = (self.key.clone(), self.hash.clone());
        NewMovement { kind, amount, key, request_hash, refund, head_start: HEAD_START }
    }
}

async fn lock_wanted(tx: &Tx, id: PaymentId) -> Result<payment::Model, Failure<Refusal>> {
    payment::lock(tx, id).await?.ok_or(Failure::Refused(Refusal::NotFound))
}

fn in_currency(payment: &payment::Model, amount: Money) -> Result<i64, Failure<Refusal>> {
    if amount.currency == payment.currency {
        Ok(amount.minor)
    } else {
        Err(Failure::Refused(Refusal::CurrencyMismatch))
    }
}

/// For movements that follow from the balance itself, which cannot be refused.
pub(super) fn no_refusal(failure: Failure<Refusal>) -> Fault {
    match failure {
        Failure::Refused(refusal) => Fault::internal(format!("a movement was refused: {refusal:?}")),
        Failure::Fault(fault) => fault,
    }
}
