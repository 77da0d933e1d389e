//! Undoing payments of orders that nobody will get: what is held is let go, what was taken is given back, and what turns
//! up late as well.

use std::time::Duration;

use common::id::OrderId;
use common::{Currency, Fault, FaultCode, Money};
use database::{ScopedFutureExt, Tx};
use events::calls::payments::PaymentStanding;

use super::movement::{NewMovement, no_refusal};
use super::{HEAD_START, Payments, UNDOING_PATIENCE};
use crate::domain::{PaymentState, TransactionKind, TransactionState};
use crate::entity::{payable_order, payment, refund, transaction};

type Begun = Vec<(payment::Model, transaction::Model)>;

impl Payments {
    /// Gives up the payments of an order. Nothing is authorised for it afterwards; money that turns up later is let go
    /// by the worker.
    pub async fn cancel(&self, order: OrderId) -> Result<PaymentStanding, Fault> {
        let begun: Result<Begun, Fault> =
            self.ports.database.transaction(|tx| self.begin_cancel(tx, order).scope_boxed()).await;
        for (payment, transaction) in begun? {
            let (_, transaction) = self.perform(payment, transaction, UNDOING_PATIENCE).await?;
            if transaction.state == TransactionState::Pending {
                return Err(Fault::unavailable("The payment provider", "not everything is undone yet"));
            }
        }
        self.standing(order).await
    }

    async fn begin_cancel(&self, tx: &Tx, order: OrderId) -> Result<Begun, Fault> {
        match payable_order::lock(tx, order).await? {
            Some(known) if known.cancelled => {}
            Some(_) => payable_order::cancel(tx, order).await?,
            None if payable_order::insert(tx, order, true).await? => {}
            // It was written at the same moment: tried anew, it is there.
            None => return Err(Fault::new(FaultCode::Conflict, "The order was begun at the same moment.")),
        }
        let mut begun = Vec::new();
        for mut payment in payment::lock_of_order(tx, order).await? {
            if !payment.cancelled {
                payment.cancelled = true;
                self.save(tx, &mut payment).await?;
            }
            let undoing = self.unwind_in(tx, &mut payment, HEAD_START).await?;
            begun.extend(undoing.into_iter().map(|transaction| (payment.clone(), transaction)));
        }
        Ok(begun)
    }

    /// Begins what undoes a payment that is locked, and returns it with what was begun for that before and is not
    /// answered. Nothing, while it is not known what is held or taken.
    pub(super) async fn unwind_in(
        &self,
        tx: &Tx,
        payment: &mut payment::Model,
        head_start: Duration,
    ) -> Result<Vec<transaction::Model>, Fault> {
        let known = transaction::of_payments(tx, vec![payment.id]).await?;
        let pending = |kind| {
            let state = TransactionState::Pending;
            known.iter().filter(move |known| known.kind == kind && known.state == state).cloned()
        };
        let mut undoing: Vec<_> =
            pending(TransactionKind::Void).chain(pending(TransactionKind::Refund)).collect();
        let balance = payment.balance();
        if balance.capture_pending > 0 {
            return Ok(undoing);
        }
        let key = |what: &str| format!("{what}:{}:{}", payment.id, known.len());
        let (void_key, refund_key) = (key("void"), key("refund"));
        let held = match payment.state {
            PaymentState::RequiresAction => balance.amount,
            PaymentState::Authorized | PaymentState::PartiallyCaptured => balance.held(),
            _ => 0,
        };
        if held > 0 && pending(TransactionKind::Void).next().is_none() {
            let movement = movement(TransactionKind::Void, held, void_key, None, head_start);
            undoing.push(self.begin(tx, payment, movement).await.map_err(no_refusal)?);
        }
        if balance.refundable() > 0 && payment.state != PaymentState::Disputed {
            let reason = Some("The order was cancelled.".to_owned());
            let refund = self.new_refund(payment, balance.refundable(), None, reason);
            let movement =
                movement(TransactionKind::Refund, refund.amount, refund_key, Some(&refund), head_start);
            undoing.push(self.begin(tx, payment, movement).await.map_err(no_refusal)?);
        }
        Ok(undoing)
    }

    /// How the payments of an order stand together.
    pub async fn standing(&self, order: OrderId) -> Result<PaymentStanding, Fault> {
        let payments = payment::of_orders(self.ports.database.schema(), vec![order]).await?;
        Ok(standing_of(&payments))
    }
}

/// How all payments of an order, oldest first, stand together.
pub(super) fn standing_of(payments: &[payment::Model]) -> PaymentStanding {
    let currency = payments.last().map_or(Currency::USD, |payment| payment.currency);
    let sum = |of: &dyn Fn(&payment::Model) -> i64| Money::new(payments.iter().map(of).sum(), currency);
    PaymentStanding {
        payment: payments.last().map(|payment| payment.id),
        authorized: sum(&|payment| payment.balance().held()),
        captured: sum(&|payment| payment.captured),
        refunded: sum(&|payment| payment.refunded),
    }
}

fn movement(
    kind: TransactionKind,
    amount: i64,
    key: String,
    refund: Option<&refund::Model>,
    head_start: Duration,
) -> NewMovement<'_> {
    NewMovement { kind, amount, key, request_hash: String::new(), refund, head_start }
}
