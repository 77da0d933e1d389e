//! The worker: takes up checkouts that nobody drives any more and orders that hold what they should not. It starts with
//! the process, so what a crash left behind goes on.

use std::time::Duration;

use common::Fault;
use futures::StreamExt as _;

use super::{Orders, WholeOrder};
use crate::entity::{checkout_attempt, order};

/// How long to rest when nothing wakes us.
const IDLE: Duration = Duration::from_secs(1);
/// The most that is taken up at once, and driven side by side.
const BATCH: u64 = 64;
const ABREAST: usize = 8;

impl Orders {
    /// Works until everything is to stop.
    pub fn work(&self) {
        let orders = self.clone();
        self.ports.tasks.spawn("checkout worker", async move {
            let stopping = orders.ports.tasks.stopping();
            tokio::select! {
                () = stopping => {}
                () = orders.sweep_for_ever() => {}
            }
        });
    }

    async fn sweep_for_ever(&self) {
        loop {
            match self.sweep().await {
                Ok(taken) if taken >= BATCH => continue,
                Ok(_) => {}
                Err(fault) => tracing::warn!(reason = fault.chain(), "the checkouts due could not be read"),
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
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
