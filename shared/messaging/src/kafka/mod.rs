//! The bus over Kafka.
//!
//! Each publisher has a topic, `<prefix>.<publisher>`; an event's key is its aggregate. Each subgraph that listens is a
//! consumer group, has a topic `<prefix>.applied.<subgraph>` that tells the memory of its processes what was applied,
//! and a topic `<prefix>.dead.<subgraph>` that tells whoever watches of dead letters. Which of them can be replayed is
//! written in the subgraph's table alone.
//!
//! Brokers are reached in plain text: they belong into a private network.

mod follow;
mod group;
mod record;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::{Fault, Timestamp};
use futures::future::try_join_all;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};

pub(crate) use follow::follow;
pub(crate) use group::consume;

use crate::bus::{BusError, Topics};
use crate::{Buried, Envelope};

/// How long an event may take to be acknowledged before the relay hears that it was not.
const DELIVERY: Duration = Duration::from_secs(30);
/// How long a question to a broker may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long `/ready` waits for a broker.
const REACH: Duration = Duration::from_secs(2);
/// The largest event in bytes. A larger one stays in the outbox, with all that follow it, and the log says why.
const LARGEST: &str = "8388608";
/// How long the topic of applied events keeps them: longer than a process takes to start, or a broker to come back.
const APPLIED_KEPT_MS: &str = "3600000";

/// What one of our topics is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Events of a publisher.
    Events,
    /// What was applied, for the memory of a subgraph's processes.
    Applied,
    /// Dead letters.
    Dead,
}

/// A cluster. Clones share the producer.
#[derive(Clone)]
pub(crate) struct Kafka(Arc<Inner>);

struct Inner {
    brokers: String,
    topics: Topics,
    producer: FutureProducer<Quiet>,
    admin: AdminClient<Quiet>,
    /// Topics that are known to be there.
    made: Mutex<HashSet<String>>,
}

/// Has what the client says go into our log. It connects again by itself, so nothing it says is an error of ours.
#[derive(Debug, Clone, Copy, Default)]
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka's client met an error");
    }
}

fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::warn!(facility, message, "Kafka's client");
        }
        _ => tracing::debug!(facility, message, "Kafka's client"),
    }
}

impl Kafka {
    /// A cluster that is reached by these brokers. Nothing is asked yet.
    pub(crate) fn new(brokers: &str, topics: &Topics) -> Result<Self, BusError> {
        let refused = |error: KafkaError| BusError::Client(error.to_string());
        let mut config = client(brokers);
        let admin = config.create_with_context(Quiet).map_err(refused)?;
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            .set("linger.ms", "1")
            .set("message.max.bytes", LARGEST)
            .set("message.timeout.ms", DELIVERY.as_millis().to_string())
            // As clients in other languages choose partitions.
            .set("partitioner", "murmur2_random");
        let producer = config.create_with_context(Quiet).map_err(refused)?;
        let (brokers, topics) = (brokers.to_owned(), topics.clone());
        Ok(Self(Arc::new(Inner { brokers, topics, producer, admin, made: Mutex::default() })))
    }

    /// Hands events to their topics. `Ok` when all are acknowledged by all replicas in sync. An event is sent only
    /// after all of its aggregate that stand before it were acknowledged: where one fails, none of those that follow it
    /// is in the log, and order stays whatever is sent again.
    pub(crate) async fn publish(&self, events: &[Envelope]) -> Result<(), Fault> {
        let publishers: HashSet<&str> = events.iter().map(|event| &*event.topic).collect();
        let topics: Vec<String> =
            publishers.into_iter().map(|publisher| self.topic(Kind::Events, publisher)).collect();
        self.make(Kind::Events, &topics).await?;
        for round in rounds(events) {
            let records = round.into_iter().map(|event| {
                let record = (self.topic(Kind::Events, &event.topic), event, record::headers(event));
                (record, Some(event.at))
            });
            self.send(records).await?;
        }
        Ok(())
    }

    /// Tells the processes of `subgraph` what was applied for it.
    pub(crate) async fn announce(&self, subgraph: &str, events: &[Envelope]) -> Result<(), Fault> {
        let topic = self.topic(Kind::Applied, subgraph);
        self.send(events.iter().map(|event| ((topic.clone(), event, record::headers(event)), None))).await
    }

    /// Tells whoever watches of dead letters; `origin` says where an event was found.
    async fn announce_dead(
        &self,
        subgraph: &str,
        buried: &[Buried],
        origin: impl Fn(&Envelope) -> record::Origin,
    ) -> Result<(), Fault> {
        let topic = self.topic(Kind::Dead, subgraph);
        self.send(buried.iter().map(|dead| {
            let headers = record::dead_headers(&dead.event, &dead.reason, &origin(&dead.event));
            ((topic.clone(), &dead.event, headers), None)
        }))
        .await
    }

    /// Whether a broker answers.
    pub(crate) async fn reach(&self) -> Result<(), Fault> {
        let kafka = self.clone();
        let topic = self.topic(Kind::Events, "orders");
        blocking(move || kafka.0.producer.client().fetch_metadata(Some(&topic), REACH).map(drop))
            .await?
            .map_err(away)
    }

    /// Sends records, each with the time that it bears where that is not now.
    async fn send<'e>(
        &self,
        records: impl Iterator<Item = ((String, &'e Envelope, OwnedHeaders), Option<Timestamp>)>,
    ) -> Result<(), Fault> {
        let mut sent = Vec::new();
        for ((topic, event, headers), at) in records {
            let mut record =
                FutureRecord::to(&topic).key(&event.key).payload(&event.payload).headers(headers);
            record.timestamp = at.map(Timestamp::millis);
            sent.push(self.0.producer.send_result(record).map_err(|(error, _)| away(error))?);
        }
        let acknowledged = sent.into_iter().map(|sent| async {
            let delivered = sent.await.map_err(|_| away(KafkaError::Canceled))?;
            delivered.map(drop).map_err(|(error, _)| away(error))
        });
        try_join_all(acknowledged).await.map(drop)
    }

    fn topic(&self, kind: Kind, name: &str) -> String {
        let prefix = &self.0.topics.prefix;
        match kind {
            Kind::Events => format!("{prefix}.{name}"),
            Kind::Applied => format!("{prefix}.applied.{name}"),
            Kind::Dead => format!("{prefix}.dead.{name}"),
        }
    }

    /// The publisher whose topic this is.
    fn publisher<'t>(&self, topic: &'t str) -> &'t str {
        topic.strip_prefix(&self.0.topics.prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(topic)
    }

    /// Makes topics that are not there.
    async fn make(&self, kind: Kind, topics: &[String]) -> Result<(), Fault> {
        let missing: Vec<&String> = {
            let made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
            topics.iter().filter(|topic| !made.contains(*topic)).collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let wanted: Vec<NewTopic<'_>> = missing.iter().map(|name| self.new_topic(kind, name)).collect();
        let options = AdminOptions::new().request_timeout(Some(ANSWER)).operation_timeout(Some(ANSWER));
        for result in self.0.admin.create_topics(&wanted, &options).await.map_err(away)? {
            match result {
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(Fault::unavailable(
                        "Kafka",
                        format!("the topic {topic} cannot be made: {code}"),
                    ));
                }
            }
        }
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(missing.into_iter().cloned());
        Ok(())
    }

    fn new_topic<'t>(&self, kind: Kind, name: &'t str) -> NewTopic<'t> {
        let topics = &self.0.topics;
        // A process reads the whole of a topic of applied events, so more than one partition serves nobody.
        let partitions = if kind == Kind::Events { i32::from(topics.partitions) } else { 1 };
        let replication = match topics.replication {
            0 => -1,
            copies => i32::from(copies),
        };
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
            .set("max.message.bytes", LARGEST);
        match kind {
            Kind::Applied => topic.set("retention.ms", APPLIED_KEPT_MS),
            Kind::Events | Kind::Dead => topic,
        }
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "techpotli")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        // Brokers close what is idle; that is no news.
        .set("log.connection.close", "false");
    config
}

/// Events in rounds: each has the next event of every aggregate.
fn rounds(events: &[Envelope]) -> Vec<Vec<&Envelope>> {
    let mut met: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut rounds: Vec<Vec<&Envelope>> = Vec::new();
    for event in events {
        let place = met.entry((&event.topic, &event.key)).or_default();
        if rounds.len() == *place {
            rounds.push(Vec::new());
        }
        rounds[*place].push(event);
        *place += 1;
    }
    rounds
}

/// Runs what waits for a broker on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)
}

fn away(error: KafkaError) -> Fault {
    Fault::unavailable("Kafka", error)
}

/// Whether the client can no longer be used.
fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_)) || error.rdkafka_error_code() == Some(Code::Fatal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn an_event_waits_for_those_of_its_aggregate_and_for_no_others() {
        let ids = Ids::counted();
        let event = |topic: &str, key: &str| Envelope {
            id: ids.next(),
            topic: topic.into(),
            key: key.into(),
            at: Timestamp(0),
            payload: String::new(),
            cause: trace::Cause::default(),
        };
        let events = [event("a", "1"), event("a", "2"), event("a", "1"), event("b", "1"), event("a", "1")];
        let places: Vec<Vec<usize>> = rounds(&events)
            .iter()
            .map(|round| {
                let place =
                    |wanted: &Envelope| events.iter().position(|event| event.id == wanted.id).unwrap();
                round.iter().map(|event| place(event)).collect()
            })
            .collect();
        assert_eq!(places, [vec![0, 1, 3], vec![2], vec![4]]);
    }
}
