//! The receiving side: applies events once, whatever is delivered.

use std::sync::Arc;

use common::{Clock, Fault};
use database::{Database, ScopedFutureExt, Tx};
use futures::future::BoxFuture;
use tracing::field::Empty;

use crate::{Envelope, dead_letter, inbox};

type Apply = dyn for<'c> Fn(&'c Tx, &'c Envelope) -> BoxFuture<'c, Result<(), Fault>> + Send + Sync;
type After = dyn Fn(&[Envelope]) + Send + Sync;
type Heeds = dyn Fn(&Envelope) -> bool + Send + Sync;

/// How often an event that fails is tried before it becomes a dead letter.
const TRIES: u32 = 3;

/// An event that became a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// The event.
    pub event: Envelope,
    /// Why it could not be applied.
    pub reason: String,
}

/// What a subgraph does with the events of others.
#[derive(Clone)]
pub struct Consumer {
    topics: &'static [&'static str],
    apply: Arc<Apply>,
    after: Arc<After>,
    heeds: Arc<Heeds>,
}

impl Consumer {
    /// Applies the events of `topics` by `apply`, in the transaction it is given.
    pub fn new<F>(topics: &'static [&'static str], apply: F) -> Self
    where
        F: for<'c> Fn(&'c Tx, &'c Envelope) -> BoxFuture<'c, Result<(), Fault>> + Send + Sync + 'static,
    {
        Self { topics, apply: Arc::new(apply), after: Arc::new(|_| {}), heeds: Arc::new(|_| true) }
    }

    /// Leaves alone the events of its topics that `heeds` says nothing follows from: not even the inbox knows them.
    #[must_use]
    pub fn heeding(mut self, heeds: impl Fn(&Envelope) -> bool + Send + Sync + 'static) -> Self {
        self.heeds = Arc::new(heeds);
        self
    }

    /// Tells the process's memory (caches, live streams) after events were applied and committed.
    #[must_use]
    pub fn after(mut self, after: impl Fn(&[Envelope]) + Send + Sync + 'static) -> Self {
        self.after = Arc::new(after);
        self
    }
}

/// A consumer with the database that it applies events to.
#[derive(Clone)]
pub struct Receiver {
    /// The subgraph that receives.
    pub name: &'static str,
    database: Database,
    clock: Clock,
    consumer: Consumer,
}

impl Receiver {
    /// The consumer of `name`.
    pub fn new(name: &'static str, database: Database, clock: Clock, consumer: Consumer) -> Self {
        Self { name, database, clock, consumer }
    }

    /// Whether events of this topic are for us.
    pub fn wants(&self, topic: &str) -> bool {
        self.consumer.topics.contains(&topic)
    }

    /// The topics whose events are for us.
    pub fn topics(&self) -> &'static [&'static str] {
        self.consumer.topics
    }

    /// Applies the events that are for us, in order, each once, and tells this process's memory. `Err` means that
    /// nothing can be said yet and all must be delivered again; an event that fails by itself becomes a dead letter
    /// and does not hold up the others.
    pub async fn accept(&self, events: &[Envelope]) -> Result<(), Fault> {
        let ours = self.ours(events);
        let applied = self.apply(&ours, |_| String::new()).await;
        // Also where it went wrong: some may have been applied before.
        self.tell(&ours);
        applied.map(drop)
    }

    /// Those of the events that something follows from.
    pub fn ours(&self, events: &[Envelope]) -> Vec<Envelope> {
        let ours = events.iter().filter(|event| self.wants(&event.topic) && (self.consumer.heeds)(event));
        ours.cloned().collect()
    }

    /// Applies events of [`Receiver::ours`] without telling anybody, and returns those that became dead letters;
    /// `origin` says where an event was found. `Err` is as in [`Receiver::accept`].
    pub async fn apply(
        &self,
        ours: &[Envelope],
        origin: impl Fn(&Envelope) -> String,
    ) -> Result<Vec<Buried>, Fault> {
        let mut buried = Vec::new();
        if !ours.is_empty() && self.apply_all(ours).await.is_err() {
            for event in ours {
                if let Err(reason) = self.apply_one(event).await? {
                    self.bury(event, &reason, origin(event)).await?;
                    buried.push(Buried { event: event.clone(), reason });
                }
            }
        }
        Ok(buried)
    }

    /// Tells this process's memory that events were applied, here or elsewhere.
    pub fn tell(&self, events: &[Envelope]) {
        if !events.is_empty() {
            (self.consumer.after)(events);
        }
    }

    /// Keeps an event that cannot be applied as a dead letter.
    pub async fn bury(&self, event: &Envelope, reason: &str, origin: String) -> Result<(), Fault> {
        let span = || {
            tracing::info_span!(
                target: trace::ROOT, "bury", otel.kind = "consumer", otel.status_code = "ERROR",
                otel.name = format!("bury {}", event.topic), subgraph.name = self.name, event.id = %event.id
            )
        };
        let burying = async {
            tracing::error!(
                consumer = self.name, event.id = %event.id, event.topic = event.topic, origin, reason,
                "an event could not be applied and became a dead letter"
            );
            dead_letter::keep(&self.database, event, reason, origin, self.clock.now()).await
        };
        event.cause.carry(span, burying).await?;
        metrics::counter!("techpotli_events_dead_total", "subgraph" => self.name).increment(1);
        Ok(())
    }

    /// Applies a dead letter now, outside of the order of its aggregate, and takes it out of the dead letters; says
    /// whether it was one. Memory is not told. Where it fails again it stays.
    pub async fn replay(&self, event: &Envelope) -> Result<bool, Fault> {
        self.database
            .transaction(|tx| {
                async move {
                    // Whoever takes it applies it; an event that was applied meanwhile is only taken.
                    let taken = dead_letter::take(tx, event.id).await?;
                    if taken && inbox::first_time(tx, event.id, self.clock.now()).await? {
                        self.apply_in(tx, event).await?;
                    }
                    Ok(taken)
                }
                .scope_boxed()
            })
            .await
    }

    /// Applies one event as a part of what it was written for: what is logged names that request.
    async fn apply_in(&self, tx: &Tx, event: &Envelope) -> Result<(), Fault> {
        let span = || {
            tracing::info_span!(
                target: trace::ROOT, "apply", otel.kind = "consumer", otel.status_code = Empty,
                otel.name = format!("apply {}", event.topic), subgraph.name = self.name,
                event.id = %event.id, event.key = event.key
            )
        };
        let applying = async {
            let applied = (self.consumer.apply)(tx, event).await;
            match &applied {
                Ok(()) => {
                    tracing::debug!(subgraph.name = self.name, event.id = %event.id, "an event was applied");
                }
                Err(_) => {
                    tracing::Span::current().record("otel.status_code", "ERROR");
                }
            }
            applied
        };
        event.cause.carry(span, applying).await
    }

    /// Applies one event; the inner `Err` is why it fails by itself.
    async fn apply_one(&self, event: &Envelope) -> Result<Result<(), String>, Fault> {
        let mut tries = 1;
        loop {
            match self.apply_all(std::slice::from_ref(event)).await {
                Ok(()) => return Ok(Ok(())),
                // Not the event's fault: it is worth waiting for.
                Err(fault) if fault.code.retryable() => return Err(fault),
                Err(_) if tries < TRIES => tries += 1,
                Err(fault) => return Ok(Err(fault.chain())),
            }
        }
    }

    /// Applies events in one transaction, those alone that the inbox does not know.
    async fn apply_all(&self, events: &[Envelope]) -> Result<(), Fault> {
        let applied = self
            .database
            .transaction(|tx| {
                async move {
                    let ids = events.iter().map(|event| event.id);
                    if inbox::first_time_for_all(tx, ids, self.clock.now()).await? {
                        for event in events {
                            self.apply_in(tx, event).await?;
                        }
                        return Ok(events.len());
                    }
                    let mut applied = 0;
                    for event in events {
                        if inbox::first_time(tx, event.id, self.clock.now()).await? {
                            self.apply_in(tx, event).await?;
                            applied += 1;
                        }
                    }
                    Ok::<_, Fault>(applied)
                }
                .scope_boxed()
            })
            .await?;
        metrics::counter!("techpotli_events_applied_total", "subgraph" => self.name)
            .increment(applied as u64);
        Ok(())
    }
}
