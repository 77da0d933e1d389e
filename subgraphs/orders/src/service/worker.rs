//! The job that takes up checkouts that nobody drives any more, and orders that hold what they should not: what a crash
//! left behind goes on.

use std::time::Duration;

use common::Fault;
use futures::StreamExt as _;
use jobs::Job;

use super::{Orders, WholeOrder};
use crate::entity::{checkout_attempt, order};

/// How long to rest when nothing wakes us.
const IDLE: Duration = Duration::from_secs(1);
/// The most that is taken up at once, and driven side by side.
const BATCH: u64 = 64;
const ABREAST: usize = 8;

impl Orders {
    /// The job.
    pub fn job(&self) -> Job {
        Job::every("drive-checkouts", IDLE, self, |orders, _| async move {
            while orders.sweep().await? >= BATCH {}
            Ok(())
        })
        .looking(self, |orders| async move { orders.has_work().await })
        .nudged_by(&self.wake)
    }

    async fn has_work(&self) -> Result<bool, Fault> {
        let (now, read) = (self.ports.clock.now(), self.ports.database.newest());
        let has_attempt = !checkout_attempt::due(read, now, 1).await?.is_empty();
        Ok(has_attempt || !order::to_unwind(read, now, 1).await?.is_empty())
    }

    /// Takes up what is due now, and says how much that was.
    pub(crate) async fn sweep(&self) -> Result<u64, Fault> {
        let (now, read) = (self.ports.clock.now(), self.ports.database.newest());
        let attempts = checkout_attempt::due(read, now, BATCH).await?;
        let orders = order::to_unwind(read, now, BATCH).await?;
        let taken = attempts.len().max(orders.len()) as u64;
        futures::stream::iter(attempts)
            .for_each_concurrent(ABREAST, |attempt| async move {
                if let Err(fault) = self.resume(attempt).await {
                    tracing::warn!(reason = fault.chain(), "a checkout could not be taken up");
                }
            })
            .await;
        futures::stream::iter(orders)
            .for_each_concurrent(ABREAST, |mut order| async move {
                match self.claim_unwinding(&mut order).await {
                    Ok(true) => drop(self.unwind(WholeOrder { order, lines: Vec::new() }).await),
                    Ok(false) => {}
                    Err(fault) => tracing::warn!(reason = fault.chain(), "an order could not be taken up"),
                }
            })
            .await;
        Ok(taken)
    }
}
