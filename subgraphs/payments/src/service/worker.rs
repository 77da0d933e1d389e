//! Takes up movements that nobody waits for: of callers who ran out of patience, of processes that died, and those that
//! undo what turned up late.

use std::time::Duration;

use common::Fault;
use futures::StreamExt as _;
use jobs::Job;

use super::Payments;
use crate::entity::{payment, transaction};

/// How often it is looked where nobody wakes us.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long another process leaves to us what we took up.
const LEASE: Duration = Duration::from_secs(15);
/// Movements taken up at once.
const BATCH: u64 = 32;

/// The job that takes them up.
pub fn job(payments: &Payments) -> Job {
    Job::every("move-money", PAUSE, payments, |payments, _| async move { payments.work_off().await })
        .looking(payments, |payments| async move { payments.has_work().await })
        .nudged_by(&payments.work)
}

impl Payments {
    async fn has_work(&self) -> Result<bool, Fault> {
        let due = transaction::due(self.ports.database.newest(), self.ports.clock.now(), 1);
        Ok(!due.await?.is_empty())
    }

    /// Asks the provider for all movements that are due.
    async fn work_off(&self) -> Result<(), Fault> {
        let due = transaction::due(self.ports.database.newest(), self.ports.clock.now(), BATCH).await?;
        let mut asked = futures::stream::iter(due)
            .map(|transaction| self.take_up(transaction))
            .buffer_unordered(BATCH as usize);
        while let Some(taken_up) = asked.next().await {
            if let Err(fault) = taken_up {
                tracing::warn!(reason = fault.chain(), "a movement of money could not be taken up");
            }
        }
        Ok(())
    }

    async fn take_up(&self, mut transaction: transaction::Model) -> Result<(), Fault> {
        let db = self.ports.database.schema();
        let until = self.ports.clock.now().plus(LEASE);
        if !transaction::put_off(db, &transaction, until).await? {
            return Ok(());
        }
        transaction.tries += 1;
        let Some(payment) = payment::by_ids(db, vec![transaction.payment_id]).await?.pop() else {
            return Ok(());
        };
        self.perform(payment, transaction, PATIENCE).await.map(drop)
    }
}
