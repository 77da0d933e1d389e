//! Asking the provider, outside of any transaction.

use std::time::Duration;

use common::Fault;

use super::Payments;
use crate::domain::{TransactionKind, TransactionState};
use crate::entity::{payment, transaction};
use crate::provider::{Answer, AuthorizeRequest, MoveRequest, Unanswered};

/// How often a provider that fails at once is asked in a row.
const TRIES: u32 = 3;
/// The longest pause before the worker asks again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Payments {
    /// Asks the provider for a movement, at most so long, and writes what came of it. Returns the payment and the
    /// transaction as they are then: still PENDING where nothing is known, which the worker goes on with.
    pub(super) async fn perform(
        &self,
        payment: payment::Model,
        transaction: transaction::Model,
        patience: Duration,
    ) -> Result<(payment::Model, transaction::Model), Fault> {
        if transaction.state != TransactionState::Pending {
            return Ok((payment, transaction));
        }
        let asked = tokio::time::timeout(patience, self.ask(&payment, &transaction)).await;
        match asked.unwrap_or(Err(Unanswered::Timeout)) {
            Ok(answer) => self.settle(payment, transaction, &answer).await,
            Err(unanswered) => {
                tracing::warn!(
                    payment.id = %payment.id, transaction.id = %transaction.id, reason = %unanswered,
                    "the provider did not answer; it is asked again"
                );
                self.ask_later(&transaction).await?;
                let now = self.as_now(transaction).await;
                self.work.nudge();
                now
            }
        }
    }

    /// A webhook may have brought the answer meanwhile.
    async fn as_now(
        &self,
        transaction: transaction::Model,
    ) -> Result<(payment::Model, transaction::Model), Fault> {
        let db = self.ports.database.schema();
        let now = transaction::find(db, transaction.id).await?.unwrap_or(transaction);
        let payment = payment::by_ids(db, vec![now.payment_id]).await?.pop();
        Ok((payment.ok_or_else(|| Fault::internal("a transaction without a payment"))?, now))
    }

    async fn ask_later(&self, transaction: &transaction::Model) -> Result<(), Fault> {
        let tries = u32::try_from(transaction.tries).unwrap_or(0);
        let pause = match tries {
            0 => Duration::ZERO,
            tries => LONGEST_PAUSE.min(Duration::from_secs(1) * 2u32.saturating_pow(tries.min(6))),
        };
        let until = self.ports.clock.now().plus(pause);
        transaction::put_off(self.ports.database.schema(), transaction, until).await?;
        Ok(())
    }

    async fn ask(
        &self,
        payment: &payment::Model,
        transaction: &transaction::Model,
    ) -> Result<Answer, Unanswered> {
        let mut tries = 1;
        loop {
            match self.ask_once(payment, transaction).await {
                Err(Unanswered::Failed(_)) if tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(10..=40))).await;
                    tries += 1;
                }
                answered => return answered,
            }
        }
    }

    async fn ask_once(
        &self,
        payment: &payment::Model,
        transaction: &transaction::Model,
    ) -> Result<Answer, Unanswered> {
        let (key, amount) = (transaction.id.to_string(), payment.money(transaction.amount));
        let to_move = || MoveRequest {
            key: key.clone(),
            order: payment.order_id,
            reference: payment.reference.clone().unwrap_or_default(),
            amount,
        };
        match transaction.kind {
            TransactionKind::Authorize => {
                let request = AuthorizeRequest {
                    key,
                    attempt: payment.attempt_id,
                    order: payment.order_id,
                    amount,
                    token: payment.token.clone(),
                    return_url: payment.return_url.clone(),
                };
                self.provider.authorize(request).await
            }
            TransactionKind::Capture => self.provider.capture(to_move()).await,
            TransactionKind::Void => self.provider.void(to_move()).await,
            TransactionKind::Refund => self.provider.refund(to_move()).await,
            TransactionKind::Chargeback => Err(Unanswered::Failed("a chargeback is not asked for".into())),
        }
    }
}
