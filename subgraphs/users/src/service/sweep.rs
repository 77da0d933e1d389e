//! Forgetting what has no use any more. Nothing depends on it: everything is judged by its time when it is read.

use std::time::Duration;

use common::{Fault, Timestamp};
use database::{Database, ScopedFutureExt as _};
use jobs::Job;

use super::Accounts;
use crate::domain::throttle;
use crate::entity::{login_throttle, password_reset, session};

const PAUSE: Duration = Duration::from_secs(60 * 60);
/// What ended is kept so long, for support to see.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Sessions forgotten in one transaction.
const BATCH: u64 = 500;

/// The job that sweeps every hour.
pub fn job(accounts: &Accounts) -> Job {
    Job::every("forget-sessions", PAUSE, accounts, |accounts, _| async move {
        once(&accounts.ports.database, accounts.ports.clock.now()).await
    })
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
