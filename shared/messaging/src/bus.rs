//! The bus: carries events from a publisher's relay to every consumer, inside the process or by way of Kafka.

use std::future::Future;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use common::{Fault, Timestamp};
use futures::future::BoxFuture;

#[cfg(feature = "kafka")]
use crate::kafka::Kafka;
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

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusUrl {
    /// To the consumers of this process, and to those behind the URLs that it is given.
    Memory,
    /// Through the topics of a Kafka cluster; the brokers that are asked first, as `host:port,host:port`.
    Kafka(String),
}

/// A text that is no bus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no bus: use memory or kafka://host:port,host:port")]
pub struct ParseBusUrlError(String);

impl FromStr for BusUrl {
    type Err = ParseBusUrlError;

    fn from_str(text: &str) -> Result<Self, ParseBusUrlError> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let brokers = text.strip_prefix("kafka://").map(|brokers| brokers.trim_end_matches('/'));
        let named = |broker: &str| {
            broker
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        match brokers {
            Some(brokers) if brokers.split(',').all(named) => Ok(Self::Kafka(brokers.to_owned())),
            _ => Err(ParseBusUrlError(text.to_owned())),
        }
    }
}

/// How topics are called and made.
#[derive(Debug, Clone)]
pub struct Topics {
    /// What the names of all topics and groups begin with.
    pub prefix: String,
    /// Partitions of a publisher's topic, where we make it. Events of one aggregate are in one partition, so it must
    /// not change while events are under way.
    pub partitions: u16,
    /// Copies of each topic, where we make it; 0 for what the brokers do by default.
    pub replication: u16,
}

/// Why there is no bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The binary was built without its client.
    #[error(
        "this binary was built without Kafka: build it with the feature 'kafka', or set TECHPOTLI_BUS_URL=memory"
    )]
    NoKafka,
    /// The client refused its configuration.
    #[error("the client of Kafka does not start: {0}")]
    Client(String),
}

/// Carries events. Clones share their destinations.
#[derive(Clone)]
pub struct Bus(Carrier);

#[derive(Clone)]
enum Carrier {
    Memory(Arc<RwLock<Vec<Destination>>>),
    #[cfg(feature = "kafka")]
    Kafka(Kafka),
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus {
    /// A bus in memory that nobody listens to yet.
    pub fn new() -> Self {
        Self(Carrier::Memory(Arc::default()))
    }

    /// The bus at `url`. It need not be there yet.
    #[cfg(feature = "kafka")]
    pub fn open(url: &BusUrl, topics: &Topics) -> Result<Self, BusError> {
        match url {
            BusUrl::Memory => Ok(Self::new()),
            BusUrl::Kafka(brokers) => Ok(Self(Carrier::Kafka(Kafka::new(brokers, topics)?))),
        }
    }

    /// The bus at `url`.
    #[cfg(not(feature = "kafka"))]
    pub fn open(url: &BusUrl, _: &Topics) -> Result<Self, BusError> {
        match url {
            BusUrl::Memory => Ok(Self::new()),
            BusUrl::Kafka(_) => Err(BusError::NoKafka),
        }
    }

    /// Whether it carries events between processes by itself, so that any of them may publish and consume.
    pub fn is_shared(&self) -> bool {
        match &self.0 {
            Carrier::Memory(_) => false,
            #[cfg(feature = "kafka")]
            Carrier::Kafka(_) => true,
        }
    }

    /// Adds somebody to deliver to. On a shared bus consumers come by themselves, see [`Bus::consume`].
    pub fn join(&self, destination: impl Into<Destination>) {
        match &self.0 {
            Carrier::Memory(destinations) => {
                destinations.write().unwrap_or_else(PoisonError::into_inner).push(destination.into());
            }
            #[cfg(feature = "kafka")]
            Carrier::Kafka(_) => {}
        }
    }

    /// Hands events over. In memory they are delivered to everybody; `Err` means that somebody could not take the
    /// events and gets all of them again. On a shared bus `Ok` means that the bus keeps them for every consumer.
    pub async fn publish(&self, events: Vec<Envelope>) -> Result<(), Fault> {
        match &self.0 {
            Carrier::Memory(destinations) => {
                let destinations = destinations.read().unwrap_or_else(PoisonError::into_inner).clone();
                deliver(destinations, events.into()).await
            }
            #[cfg(feature = "kafka")]
            Carrier::Kafka(kafka) => kafka.publish(&events).await,
        }
    }

    /// Takes from a shared bus what `receiver` wants and applies it, together with all other processes that do the
    /// same for this subgraph, until `stopping` resolves; then finishes what is under way. In memory there is nothing
    /// to take: events come by [`Bus::join`].
    #[cfg_attr(not(feature = "kafka"), expect(unused_variables, reason = "memory takes nothing"))]
    pub async fn consume(&self, receiver: Receiver, stopping: impl Future<Output = ()> + Send) {
        match &self.0 {
            Carrier::Memory(_) => {}
            #[cfg(feature = "kafka")]
            Carrier::Kafka(kafka) => crate::kafka::consume(kafka, &receiver, stopping).await,
        }
    }

    /// Tells this process's memory of what was applied for `receiver`'s subgraph by whatever process, from `since` on,
    /// until it is dropped. In memory the receiver tells by itself.
    #[cfg_attr(not(feature = "kafka"), expect(unused_variables, reason = "memory has nobody to follow"))]
    pub async fn follow(&self, receiver: Receiver, since: Timestamp) {
        match &self.0 {
            Carrier::Memory(_) => {}
            #[cfg(feature = "kafka")]
            Carrier::Kafka(kafka) => crate::kafka::follow(kafka, &receiver, since).await,
        }
    }

    /// Tells all processes of a shared bus that events were applied for `subgraph`.
    #[cfg_attr(not(feature = "kafka"), expect(unused_variables, reason = "memory has nobody to tell"))]
    pub async fn announce(&self, subgraph: &str, events: &[Envelope]) -> Result<(), Fault> {
        match &self.0 {
            Carrier::Memory(_) => Ok(()),
            #[cfg(feature = "kafka")]
            Carrier::Kafka(kafka) => kafka.announce(subgraph, events).await,
        }
    }

    /// Whether it can be reached.
    pub async fn reach(&self) -> Result<(), Fault> {
        match &self.0 {
            Carrier::Memory(_) => Ok(()),
            #[cfg(feature = "kafka")]
            Carrier::Kafka(kafka) => kafka.reach().await,
        }
    }
}

async fn deliver(destinations: Vec<Destination>, events: Arc<[Envelope]>) -> Result<(), Fault> {
    let mut missed = Ok(());
    for destination in destinations {
        if let Err(fault) = (destination.deliver)(Arc::clone(&events)).await {
            tracing::warn!(destination = destination.name, reason = fault.chain(), "events were not taken");
            missed = Err(fault);
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_memory_or_the_brokers_of_kafka() {
        assert_eq!("memory".parse(), Ok(BusUrl::Memory));
        assert_eq!("kafka://a:9092,b:9093".parse(), Ok(BusUrl::Kafka("a:9092,b:9093".into())));
        for text in ["", "kafka", "kafka://", "kafka://a", "kafka://a:b", "kafka://a:1,,b:2", "redis://a:1"] {
            assert_eq!(text.parse::<BusUrl>(), Err(ParseBusUrlError(text.into())));
        }
    }
}
