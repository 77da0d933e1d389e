//! What a movement came to, written once: the answer, the webhook and the worker all end here, on a locked row.

use std::time::Duration;

use common::id::{PaymentId, TransactionId};
use common::{Fault, FaultCode};
use database::{ScopedFutureExt, Tx};
use events::payments::PaymentsEvent;
use sea_orm::ActiveEnum as _;

use super::Payments;
use crate::domain::{Outcome, PaymentState, RefundState, TransactionKind, TransactionState};
use crate::entity::{payment, refund, transaction};
use crate::provider::Answer;

impl Payments {
    /// Writes what a movement of a payment came to, unless somebody has before, and returns the payment and the
    /// transaction as they are then.
    pub(super) async fn settle(
        &self,
        payment: payment::Model,
        transaction: transaction::Model,
        answer: &Answer,
    ) -> Result<(payment::Model, transaction::Model), Fault> {
        let (payment, transaction) = (&payment, &transaction);
        let settled = self
            .ports
            .database
            .transaction(|tx| {
                async move {
                    match self.settle_as_known(tx, payment.clone(), transaction.clone(), answer).await? {
                        Some(settled) => Ok::<_, Fault>(settled),
                        None => self.settle_in(tx, transaction.id, answer).await,
                    }
                }
                .scope_boxed()
            })
            .await?;
        if settled.0.cancelled {
            self.work.nudge();
        }
        Ok(settled)
    }

    /// Writes what an authorisation or a capture came to over the payment as it was when the provider was asked; `None`,
    /// and nothing is written, where it is another one by now or where more follows from it. Whoever settles or begins a
    /// movement raises the payment's version, so under the version that is known the movement is still open.
    async fn settle_as_known(
        &self,
        tx: &Tx,
        mut payment: payment::Model,
        mut transaction: transaction::Model,
        answer: &Answer,
    ) -> Result<Option<(payment::Model, transaction::Model)>, Fault> {
        let simple = matches!(transaction.kind, TransactionKind::Authorize | TransactionKind::Capture);
        let waits_again =
            matches!(answer, Answer::ActionRequired { .. }) && payment.state == PaymentState::RequiresAction;
        if !simple || payment.cancelled || waits_again {
            return Ok(None);
        }
        let outcome = note(&mut payment, &transaction, answer);
        take_over(&mut payment, &mut transaction, outcome)?;
        payment.version += 1;
        payment.updated_at = self.ports.clock.now();
        if !payment::replace(tx, payment.clone()).await? {
            return Ok(None);
        }
        if !transaction::finish(tx, &transaction).await? {
            return Err(Fault::new(FaultCode::Conflict, "The payment changed at the same moment."));
        }
        self.publish(tx, &payment).await?;
        Ok(Some((payment, transaction)))
    }

    /// The same as part of `tx`, on rows that are locked and read.
    pub(super) async fn settle_in(
        &self,
        tx: &Tx,
        id: TransactionId,
        answer: &Answer,
    ) -> Result<(payment::Model, transaction::Model), Fault> {
        let unknown = || Fault::internal(format!("there is no transaction {id}"));
        let payment_id = transaction::find(tx, id).await?.ok_or_else(unknown)?.payment_id;
        let mut payment = lock(tx, payment_id).await?;
        // Read again under the lock: somebody else may have settled it meanwhile.
        let mut transaction = transaction::find(tx, id).await?.ok_or_else(unknown)?;
        let waits = matches!(answer, Answer::ActionRequired { .. });
        if transaction.state != TransactionState::Pending
            || (waits && payment.state == PaymentState::RequiresAction)
        {
            return Ok((payment, transaction));
        }
        let outcome = note(&mut payment, &transaction, answer);
        take_over(&mut payment, &mut transaction, outcome)?;
        transaction::save(tx, transaction.clone()).await?;
        if let Some(refund) = transaction.refund_id {
            let done = outcome == Outcome::Succeeded;
            refund::turn(tx, refund, if done { RefundState::Succeeded } else { RefundState::Failed }).await?;
        }
        if transaction.kind == TransactionKind::Void && payment.state == PaymentState::Failed {
            fail_authorization(tx, &mut payment).await?;
        }
        if payment.cancelled {
            // Nobody waits for this: the worker goes on with it at once.
            self.unwind_in(tx, &mut payment, Duration::ZERO).await?;
        }
        self.save(tx, &mut payment).await?;
        self.publish(tx, &payment).await?;
        Ok((payment, transaction))
    }

    /// Writes a payment that is locked, as its next version.
    pub(super) async fn save(&self, tx: &Tx, payment: &mut payment::Model) -> Result<(), Fault> {
        payment.version += 1;
        payment.updated_at = self.ports.clock.now();
        Ok(payment::save(tx, payment.clone()).await?)
    }

    async fn publish(&self, tx: &Tx, payment: &payment::Model) -> Result<(), Fault> {
        let balance = payment.balance();
        let event = PaymentsEvent {
            payment: payment.id,
            order: payment.order_id,
            version: payment.version,
            state: payment.state.to_value(),
            authorized: payment.money(balance.held()),
            captured: payment.money(balance.captured),
            refunded: payment.money(balance.refunded),
        };
        self.ports.publish(tx, &event).await
    }
}

/// A payment, locked; it is there because something refers to it.
pub(super) async fn lock(tx: &Tx, id: PaymentId) -> Result<payment::Model, Fault> {
    payment::lock(tx, id).await?.ok_or_else(|| Fault::internal(format!("there is no payment {id}")))
}

/// Takes over into both what the outcome makes of them.
fn take_over(
    payment: &mut payment::Model,
    transaction: &mut transaction::Model,
    outcome: Outcome,
) -> Result<(), Fault> {
    let balance = payment.balance().finish(transaction.kind, transaction.amount, outcome);
    payment.set_balance(balance.map_err(Fault::internal)?);
    transaction.state = match outcome {
        Outcome::Succeeded => TransactionState::Succeeded,
        Outcome::Failed => TransactionState::Failed,
        Outcome::ActionRequired => TransactionState::Pending,
    };
    transaction.due_at = None;
    transaction.reference.clone_from(&payment.reference);
    Ok(())
}

/// Takes over into the payment what the provider says beside yes or no.
fn note(payment: &mut payment::Model, transaction: &transaction::Model, answer: &Answer) -> Outcome {
    let authorizing = transaction.kind == TransactionKind::Authorize;
    match answer {
        Answer::Done { reference, last4 } => {
            if authorizing {
                payment.reference = Some(reference.clone());
                payment.last4 = last4.clone().or_else(|| payment.last4.take());
            }
            Outcome::Succeeded
        }
        Answer::ActionRequired { reference, client_secret, redirect_url, reason } => {
            payment.reference = Some(reference.clone());
            payment.client_secret = Some(client_secret.clone());
            payment.redirect_url = Some(redirect_url.clone());
            payment.action_reason = Some(reason.clone());
            Outcome::ActionRequired
        }
        Answer::Declined { message, retryable } => {
            if authorizing {
                payment.failure = Some(message.chars().take(200).collect());
                payment.failure_retryable = *retryable;
            }
            Outcome::Failed
        }
        Answer::InvalidMethod => {
            payment.method_invalid |= authorizing;
            Outcome::Failed
        }
    }
}

/// Ends an authorisation that waited for the buyer and was let go.
async fn fail_authorization(tx: &Tx, payment: &mut payment::Model) -> Result<(), Fault> {
    payment.failure = Some("The payment was cancelled.".to_owned());
    payment.failure_retryable = false;
    for mut transaction in transaction::of_payments(tx, vec![payment.id]).await? {
        if transaction.kind == TransactionKind::Authorize && transaction.state == TransactionState::Pending {
            transaction.state = TransactionState::Failed;
            transaction.due_at = None;
            transaction::save(tx, transaction).await?;
        }
    }
    Ok(())
}
