//! The relay: hands a database's outbox to the bus.

use std::time::Duration;

use common::Fault;
use database::Database;

use crate::{Bus, outbox};

/// Events handed over at once.
const BATCH: u64 = 100;
/// How long to wait where no commit wakes us: after a restart, and for other processes' rows.
const IDLE: Duration = Duration::from_secs(1);
/// How long to wait for more after a commit: what follows from one request is handed over together, and what follows
/// from many at once.
const LINGER: Duration = Duration::from_millis(20);
/// The longest pause between failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Publishes what is in the outbox, in order, for ever. To be ended by dropping it: whatever was under way is delivered
/// again later, and the inboxes know it.
pub async fn relay(database: Database, bus: Bus) {
    let mut pause = IDLE;
    loop {
        match publish_batch(&database, &bus).await {
            Ok(BATCH) => continue,
            Ok(_) => pause = IDLE,
            Err(fault) => {
                tracing::warn!(reason = fault.chain(), "the outbox could not be published");
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        tokio::select! {
            () = database.outbox_committed() => tokio::time::sleep(LINGER).await,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn publish_batch(database: &Database, bus: &Bus) -> Result<u64, Fault> {
    let batch = outbox::unpublished(database, BATCH).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    let (places, events): (Vec<i64>, Vec<_>) = batch.into_iter().unzip();
    let count = places.len() as u64;
    bus.publish(events).await?;
    outbox::mark_published(database, places).await?;
    Ok(count)
}

/// The events of the outbox that are not published yet, oldest first: for tests that deliver by hand.
pub async fn pending(database: &Database) -> Result<Vec<crate::Envelope>, Fault> {
    Ok(outbox::unpublished(database, 10_000).await?.into_iter().map(|(_, event)| event).collect())
}
