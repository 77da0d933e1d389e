//! The relay: hands a database's outbox to the bus.
//!
//! On a shared bus many processes may run the relay of one database; a lease sees to it that one does. The lease may
//! fail in its duty: a process that was stopped in the midst of a batch goes on with it after another has taken over.
//! Then events are published twice, which the inboxes know, but their order stays: of the events of one aggregate, none
//! appears for the first time before an earlier one has appeared. For a relay hands over an event only after all
//! earlier ones of its aggregate that were unpublished when it read have been acknowledged to it (`Bus::publish`), and
//! what was marked as published then had been acknowledged to whoever marked it. So before an event's first appearance
//! all earlier ones have appeared, whoever publishes, and however late.

use std::pin::pin;
use std::time::Duration;

use common::id::EventId;
use common::{Clock, Fault, Ids, Timestamp};
use database::Database;
use tracing::field::Empty;

use crate::lease::Lease;
use crate::{Bus, Envelope, outbox};

/// Events handed over at once.
const BATCH: u64 = 100;
/// How long to wait where no commit wakes us: after a restart, and for other processes' rows.
const IDLE: Duration = Duration::from_secs(1);
/// The same on a shared bus, where most rows are other processes'.
const SHARED_IDLE: Duration = Duration::from_millis(100);
/// How long to wait for more after a commit: what follows from one request is handed over together, and what follows
/// from many at once.
const LINGER: Duration = Duration::from_millis(20);
/// The longest pause between failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a relay may be silent before another takes over.
const LEASE: Duration = Duration::from_secs(5);
/// How often the outbox is counted for the metrics.
const COUNTING: Duration = Duration::from_secs(5);

/// Publishes what is in the outbox of `subgraph`, in order, until `stopping` resolves; a batch under way is finished.
/// Where it is dropped instead, what was under way is delivered again later, and the inboxes know it.
pub async fn relay(
    subgraph: &'static str,
    database: Database,
    bus: Bus,
    clock: Clock,
    stopping: impl Future<Output = ()> + Send,
) {
    let idle = if bus.is_shared() { SHARED_IDLE } else { IDLE };
    let mut relay = Relay::new(subgraph, database, bus, clock);
    let mut stopping = pin!(stopping);
    let mut pause = idle;
    loop {
        let wait = match relay.turn().await {
            Ok(BATCH) => Duration::ZERO,
            Ok(_) => {
                pause = idle;
                idle
            }
            Err(fault) => {
                tracing::warn!(subgraph, reason = fault.chain(), "the outbox could not be published");
                pause = (pause * 2).clamp(IDLE, LONGEST_PAUSE);
                pause
            }
        };
        let woken = async {
            tokio::select! {
                () = relay.database.outbox_committed() => tokio::time::sleep(LINGER).await,
                () = tokio::time::sleep(wait) => {}
            }
        };
        tokio::select! {
            biased;
            () = &mut stopping => break,
            () = woken => {}
        }
    }
    relay.end().await;
}

struct Relay {
    subgraph: &'static str,
    database: Database,
    bus: Bus,
    clock: Clock,
    /// On a shared bus: what others respect.
    lease: Option<Lease>,
    counted: Timestamp,
}

impl Relay {
    fn new(subgraph: &'static str, database: Database, bus: Bus, clock: Clock) -> Self {
        let owner: EventId = Ids::random(clock.clone()).next();
        let lease = bus.is_shared().then(|| Lease::new(&database, &clock, "relay", owner.to_string(), LEASE));
        Self { subgraph, database, bus, clock, lease, counted: Timestamp(0) }
    }

    /// Publishes a batch where it is ours to do; says how many events that were.
    async fn turn(&mut self) -> Result<u64, Fault> {
        if let Some(lease) = &mut self.lease
            && !lease.hold().await?
        {
            return Ok(0);
        }
        self.count().await?;
        let batch = outbox::unpublished(&self.database, BATCH).await?;
        if batch.is_empty() {
            return Ok(0);
        }
        let (places, events): (Vec<i64>, Vec<_>) = batch.into_iter().unzip();
        let count = places.len() as u64;
        self.publish(events).await?;
        outbox::mark_published(&self.database, places).await?;
        metrics::counter!("techpotli_events_relayed_total", "subgraph" => self.subgraph).increment(count);
        Ok(count)
    }

    /// Hands events to the bus. Those of recorded traces are each below a span of their own.
    async fn publish(&self, mut events: Vec<Envelope>) -> Result<(), Fault> {
        let mut spans = Vec::new();
        for event in &mut events {
            let begun = event.cause.begin(|| {
                tracing::info_span!(
                    target: trace::ROOT, "publish", otel.kind = "producer", otel.status_code = Empty,
                    otel.name = format!("publish {}", event.topic), subgraph.name = self.subgraph,
                    event.id = %event.id, event.key = event.key
                )
            });
            if let Some((span, below)) = begun {
                event.cause = below;
                spans.push(span);
            }
        }
        let published = self.bus.publish(events).await;
        if published.is_err() {
            for span in &spans {
                span.record("otel.status_code", "ERROR");
            }
        }
        published
    }

    async fn count(&mut self) -> Result<(), Fault> {
        let now = self.clock.now();
        if self.counted.plus(COUNTING) <= now {
            self.counted = now;
            let depth = outbox::depth(&self.database).await?;
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("techpotli_outbox_depth", "subgraph" => self.subgraph).set(depth as f64);
        }
        Ok(())
    }

    async fn end(mut self) {
        if let Some(lease) = &mut self.lease
            && let Err(fault) = lease.release().await
        {
            tracing::debug!(subgraph = self.subgraph, reason = fault.chain(), "the lease ends by itself");
        }
    }
}

/// The events of the outbox that are not published yet, oldest first: for tests that deliver by hand.
pub async fn pending(database: &Database) -> Result<Vec<Envelope>, Fault> {
    Ok(outbox::unpublished(database, 10_000).await?.into_iter().map(|(_, event)| event).collect())
}
