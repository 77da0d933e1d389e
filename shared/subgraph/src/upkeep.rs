//! Upkeep: what every subgraph's database has and nobody needs any more is forgotten.

use std::time::Duration;

use common::Fault;
use jobs::Job;

use crate::{Ports, idempotency};

/// How often.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long an idempotency key is kept: as long as one of money must be.
const KEYS: Duration = days(7);
/// How long an event stays in the outbox after it was published, for people to look at.
const OUTBOX: Duration = days(7);
/// How long it is known that an event was applied: much longer than brokers keep it, and than one may wait in an outbox.
const INBOX: Duration = days(60);
/// Rows that are forgotten at once.
const BATCH: u64 = 500;

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

/// The job.
pub(crate) fn job(ports: &Ports) -> Job {
    Job::every("upkeep", EVERY, ports, |ports, _| async move { forget(&ports).await })
}

async fn forget(ports: &Ports) -> Result<(), Fault> {
    let (database, now) = (&ports.database, ports.clock.now());
    while idempotency::forget(database, now.minus(KEYS), BATCH).await? == BATCH {}
    while messaging::forget_published(database, now.minus(OUTBOX), BATCH).await? == BATCH {}
    while messaging::forget_applied(database, now.minus(INBOX), BATCH).await? == BATCH {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sea_orm::{ConnectionTrait as _, Statement};

    use super::*;
    use crate::idempotency::{Key, Replay};
    use crate::testing;
    use database::ScopedFutureExt as _;

    async fn count(ports: &Ports, table: &str) -> i64 {
        let text = format!("SELECT COUNT(*) AS n FROM {table}");
        let statement = Statement::from_string(ports.database.backend(), text);
        ports.database.newest().query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
    }

    async fn use_key(ports: &Ports, key: &str) {
        let key = Key::new("op", "actor", key, &()).unwrap();
        let now = ports.clock.now();
        let used: Result<Replay<u8>, Fault> = ports
            .database
            .transaction(|tx| {
                let key = &key;
                async move { key.claim_with(tx, now, &1_u8).await }.scope_boxed()
            })
            .await;
        assert!(matches!(used, Ok(Replay::New)));
    }

    async fn write(ports: &Ports, published: bool) {
        let event = events::users::UsersEvent::UserRegistered {
            user: ports.ids.next(),
            email: "ada@example.com".into(),
            locale: "en".into(),
        };
        let written: Result<(), Fault> = ports
            .database
            .transaction(|tx| {
                let event = &event;
                async move { ports.publish(tx, event).await }.scope_boxed()
            })
            .await;
        written.unwrap();
        if published {
            let marked =
                ports.database.schema().execute_unprepared("UPDATE outbox SET published = TRUE").await;
            marked.unwrap();
        }
    }

    #[tokio::test]
    async fn keys_and_published_events_are_forgotten_when_they_are_old_and_unpublished_ones_never() {
        let (ports, _folder) = testing::ports("users", Vec::new).await;
        write(&ports, true).await;
        write(&ports, false).await;
        use_key(&ports, "old").await;
        ports.clock.advance(KEYS + Duration::from_secs(1));
        use_key(&ports, "new").await;
        forget(&ports).await.unwrap();
        assert_eq!((count(&ports, "idempotency").await, count(&ports, "outbox").await), (1, 1));
        ports.clock.advance(KEYS);
        forget(&ports).await.unwrap();
        assert_eq!((count(&ports, "idempotency").await, count(&ports, "outbox").await), (1, 1));
    }

    #[tokio::test]
    async fn what_was_applied_is_known_for_long() {
        let (ports, _folder) = testing::ports("users", Vec::new).await;
        let consumer = messaging::Consumer::new(&["users"], |_, _| Box::pin(async { Ok(()) }));
        let receiver =
            messaging::Receiver::new("users", ports.database.clone(), ports.clock.clone(), consumer);
        write(&ports, false).await;
        let events = messaging::pending(&ports.database).await.unwrap();
        receiver.accept(&events).await.unwrap();
        for (later, known) in [(INBOX, 1), (Duration::from_secs(1), 0)] {
            ports.clock.advance(later);
            forget(&ports).await.unwrap();
            assert_eq!(count(&ports, "inbox").await, known);
        }
    }
}
