//! Carts that nobody came back for. Whoever does come back goes on where they were.

use std::time::Duration;

use common::Fault;
use jobs::Job;

use super::Carts;
use crate::entity::cart;

/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// How long a cart waits for its buyer.
const WAITS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Carts marked at once.
const BATCH: u64 = 200;

impl Carts {
    /// The job that marks them.
    pub fn abandon_job(&self) -> Job {
        Job::every("abandon-carts", PAUSE, self, |carts, _| async move { carts.abandon().await })
    }

    async fn abandon(&self) -> Result<(), Fault> {
        let before = self.now().minus(WAITS);
        loop {
            let abandoned = cart::abandon(self.ports.database.schema(), before, BATCH).await?;
            let count = abandoned.len() as u64;
            for cart in abandoned {
                self.announce(cart);
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }
}
