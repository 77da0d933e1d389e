//! The bus: carries events from a publisher's relay to every consumer.

use std::sync::{Arc, RwLock};

use common::Fault;
use futures::future::BoxFuture;

use crate::{Envelope, Receiver};

type Deliver = dyn Fn(Arc<[Envelope]>) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync;

/// Somebody to whom events are delivered: a receiver in this process, or a subgraph behind a URL.
#[derive(Clone)]
pub struct Destination {
    name: String,
    deliver: Arc<Deliver>,
}

impl Destination {
    /// Delivers by `deliver`, which returns when the events are applied or buried.
    pub fn new<F>(name: &str, deliver: F) -> Self
    where
        F: Fn(Arc<[Envelope]>) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync + 'static,
    {
        Self { name: name.to_owned(), deliver: Arc::new(deliver) }
    }
}

impl From<Receiver> for Destination {
    fn from(receiver: Receiver) -> Self {
        Self::new(receiver.name, move |events| {
            let receiver = receiver.clone();
            Box::pin(async move { receiver.accept(&events).await })
        })
    }
}

/// Carries events. Clones share their destinations.
#[derive(Clone, Default)]
pub struct Bus(Arc<RwLock<Vec<Destination>>>);

impl Bus {
    /// A bus that nobody listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds somebody to deliver to.
    pub fn join(&self, destination: impl Into<Destination>) {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(destination.into());
    }

    /// Delivers to everybody; `Err` when somebody could not take the events, who then gets all of them again.
    pub async fn publish(&self, events: Vec<Envelope>) -> Result<(), Fault> {
        let destinations = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let events: Arc<[Envelope]> = events.into();
        let mut missed = Ok(());
        for destination in destinations {
            if let Err(fault) = (destination.deliver)(Arc::clone(&events)).await {
                tracing::warn!(
                    destination = destination.name,
                    reason = fault.chain(),
                    "events were not taken"
                );
                missed = Err(fault);
            }
        }
        missed
    }
}
