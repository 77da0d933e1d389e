//! Tidying: what has expired is given back in the tables too. Nobody relies on it: reads and commits look at the time.

use std::time::Duration;

use common::Fault;
use database::{ScopedFutureExt, Tx};
use jobs::Job;

use super::reserve::expire;
use super::{Inventory, LockedStock, Touched};
use crate::entity::reservation;

/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(5);
/// Reservations given back in one transaction.
const BATCH: u64 = 100;

/// The job that sweeps.
pub fn job(inventory: &Inventory) -> Job {
    Job::every("sweep-reservations", PAUSE, inventory, |inventory, _| async move {
        inventory.sweep().await.map(drop)
    })
    .looking(inventory, |inventory| async move { inventory.has_lapsed().await })
}

impl Inventory {
    async fn has_lapsed(&self) -> Result<bool, Fault> {
        let lapsed = reservation::lapsed(self.ports.database.newest(), self.ports.clock.now(), 1);
        Ok(!lapsed.await?.is_empty())
    }

    /// Gives back what expired reservations hold; returns how many there were.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        let mut swept = 0;
        loop {
            let lapsed =
                reservation::lapsed(self.ports.database.newest(), self.ports.clock.now(), BATCH).await?;
            if lapsed.is_empty() {
                return Ok(swept);
            }
            let lapsed = &lapsed;
            let done = self.ports.database.transaction(|tx| self.sweep_in(tx, lapsed).scope_boxed()).await;
            let (expired, touched): (usize, Touched) = done?;
            self.changed(&touched);
            swept += expired;
            if expired == 0 {
                // Somebody else is at it.
                return Ok(swept);
            }
        }
    }

    async fn sweep_in(&self, tx: &Tx, lapsed: &[reservation::Model]) -> Result<(usize, Touched), Fault> {
        let variants = lapsed.iter().map(|row| row.variant_id).collect();
        let mut stock = LockedStock::lock(tx, &variants, self.ports.clock.now()).await?;
        let expired = expire(tx, &mut stock, lapsed.to_vec()).await?;
        Ok((expired, stock.publish(&self.ports, tx).await?))
    }
}
