//! Forgetting what has no use any more. Nothing depends on it: everything is judged by its time when it is read.

use std::time::Duration;

use common::{Fault, Timestamp};
use database::{Database, ScopedFutureExt as _};

use super::Accounts;
use crate::domain::throttle;
use crate::entity::{login_throttle, password_reset, session};

const PAUSE: Duration = Duration::from_secs(60 * 60);
/// What ended is kept so long, for support to see.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Sessions forgotten in one transaction.
const BATCH: u64 = 500;

/// Sweeps every hour until it is told to stop.
pub async fn run(accounts: Accounts) {
    let stopping = accounts.ports.tasks.stopping();
    tokio::pin!(stopping);
    loop {
        tokio::select! {
            () = &mut stopping => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        if let Err(fault) = once(&accounts.ports.database, accounts.ports.clock.now()).await {
            tracing::warn!(reason = fault.chain(), "ended sessions could not be forgotten");
        }
    }
}

/// Forgets ended sessions with their tokens, old counts of tries and old resets.
pub async fn once(database: &Database, now: Timestamp) -> Result<(), Fault> {
    let ended = now.minus(KEPT);
    loop {
        let forgotten = database
            .transaction(|tx| async move { session::forget(tx, ended, BATCH).await }.scope_boxed())
            .await?;
        if (forgotten as u64) < BATCH {
            break;
        }
    }
    database
        .transaction(|tx| {
            async move {
                login_throttle::forget(tx, now.minus(throttle::WINDOW)).await?;
                password_reset::forget(tx, ended).await
            }
            .scope_boxed()
        })
        .await
}
