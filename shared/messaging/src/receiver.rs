//! The receiving side: applies events once, whatever is delivered.

use std::sync::Arc;

use common::{Clock, Fault, FaultCode};
use database::{Database, ScopedFutureExt, Tx};
use futures::future::BoxFuture;

use crate::{Envelope, dead_letter, inbox};

type Apply = dyn for<'c> Fn(&'c Tx, &'c Envelope) -> BoxFuture<'c, Result<(), Fault>> + Send + Sync;
type After = dyn Fn(&[Envelope]) + Send + Sync;
type Heeds = dyn Fn(&Envelope) -> bool + Send + Sync;

/// How often an event that fails is tried before it becomes a dead letter.
const TRIES: u32 = 3;

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

    /// Applies the events that are for us, in order, each once. `Err` means that nothing can be said yet and all must
    /// be delivered again; an event that fails by itself becomes a dead letter and does not hold up the others.
    pub async fn accept(&self, events: &[Envelope]) -> Result<(), Fault> {
        let ours = events.iter().filter(|event| self.wants(&event.topic) && (self.consumer.heeds)(event));
        let ours: Vec<Envelope> = ours.cloned().collect();
        if ours.is_empty() {
            return Ok(());
        }
        if self.apply_all(&ours).await.is_err() {
            for event in &ours {
                self.apply_or_bury(event).await?;
            }
        }
        (self.consumer.after)(&ours);
        Ok(())
    }

    async fn apply_or_bury(&self, event: &Envelope) -> Result<(), Fault> {
        let mut tries = 1;
        loop {
            match self.apply_all(std::slice::from_ref(event)).await {
                Ok(()) => return Ok(()),
                Err(fault) if fault.code == FaultCode::Unavailable => return Err(fault),
                Err(_) if tries < TRIES => tries += 1,
                Err(fault) => {
                    tracing::error!(
                        consumer = self.name, event.id = %event.id, event.topic = event.topic, reason = fault.chain(),
                        "an event could not be applied and became a dead letter"
                    );
                    return dead_letter::keep(&self.database, event, fault.chain(), self.clock.now()).await;
                }
            }
        }
    }

    async fn apply_all(&self, events: &[Envelope]) -> Result<(), Fault> {
        self.database
            .transaction(|tx| {
                async move {
                    let ids = events.iter().map(|event| event.id);
                    if inbox::first_time_for_all(tx, ids, self.clock.now()).await? {
                        for event in events {
                            (self.consumer.apply)(tx, event).await?;
                        }
                        return Ok(());
                    }
                    // Some were delivered before.
                    for event in events {
                        if inbox::first_time(tx, event.id, self.clock.now()).await? {
                            (self.consumer.apply)(tx, event).await?;
                        }
                    }
                    Ok(())
                }
                .scope_boxed()
            })
            .await
    }
}
