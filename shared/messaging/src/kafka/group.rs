//! A subgraph's consumer group: takes records, has them applied, and commits what was applied.
//!
//! An offset is stored only after the inbox's transaction, after the processes of the subgraph were told, and after
//! dead letters are in their table and their topic; what is stored is committed every second, before a partition is
//! given away, and at the end. So whatever dies in between is delivered again, and the inbox knows it. Partitions move only while we ask for records, never while a batch is being applied. A process that was stopped
//! so long that its partitions were given to another goes on with its batch: it applies an event only after those
//! before it, and so does the other, so whoever is first for each, they are applied in order.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use common::Fault;
use futures::FutureExt as _;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::time::{Instant, timeout_at};

use super::record::{Delivered, Origin, read};
use super::{Kafka, Kind, away, blocking, client, is_fatal, log};
use crate::{Buried, Envelope, Receiver};

/// Records that are applied in one transaction.
const BATCH: usize = 100;
/// Pauses between tries while a database is away.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a process may be silent before its partitions are given to others.
const SESSION_MS: &str = "6000";
const HEARTBEAT_MS: &str = "2000";
/// How often offsets are committed.
const COMMIT_MS: &str = "1000";
/// How often lag is measured.
const STATISTICS_MS: &str = "2000";

/// Takes and applies what `receiver` wants until `stopping` resolves, then finishes the batch under way.
pub(crate) async fn consume(kafka: &Kafka, receiver: &Receiver, stopping: impl Future<Output = ()> + Send) {
    let stopping = stopping.shared();
    let mut pause = SHORTEST_PAUSE;
    loop {
        let ended = match Group::join(kafka, receiver).await {
            Ok(group) => {
                pause = SHORTEST_PAUSE;
                let ended = group.run(stopping.clone()).await;
                group.leave().await;
                ended
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = ended {
            tracing::warn!(consumer = receiver.name, reason = fault.chain(), "the group begins again");
        }
        tokio::select! {
            biased;
            () = stopping.clone() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

struct Group<'k> {
    kafka: &'k Kafka,
    receiver: &'k Receiver,
    consumer: StreamConsumer<Watch>,
}

/// What came to us while we held our place.
type Met = Vec<Delivered>;

impl<'k> Group<'k> {
    async fn join(kafka: &'k Kafka, receiver: &'k Receiver) -> Result<Self, Fault> {
        let name = receiver.name;
        let topics: Vec<String> =
            receiver.topics().iter().map(|topic| kafka.topic(Kind::Events, topic)).collect();
        kafka.make(Kind::Events, &topics).await?;
        kafka.make(Kind::Applied, &[kafka.topic(Kind::Applied, name)]).await?;
        kafka.make(Kind::Dead, &[kafka.topic(Kind::Dead, name)]).await?;
        let mut config = client(&kafka.0.brokers);
        config
            .set("group.id", format!("{}.{name}", kafka.0.topics.prefix))
            .set("partition.assignment.strategy", "cooperative-sticky")
            // Of what is stored, which is done by hand.
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", COMMIT_MS)
            .set("enable.auto.offset.store", "false")
            // A new subgraph hears all that is kept; the inbox knows what it heard before.
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", SESSION_MS)
            .set("heartbeat.interval.ms", HEARTBEAT_MS)
            .set("statistics.interval.ms", STATISTICS_MS)
            .set("queued.max.messages.kbytes", "16384")
            .set("isolation.level", "read_committed");
        let consumer: StreamConsumer<Watch> =
            config.create_with_context(Watch { subgraph: name }).map_err(away)?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(away)?;
        Ok(Self { kafka, receiver, consumer })
    }

    /// `Err` when the client cannot be used any more.
    async fn run(&self, stopping: impl Future<Output = ()>) -> Result<(), Fault> {
        let mut stopping = pin!(stopping);
        loop {
            let mut batch = tokio::select! {
                biased;
                () = &mut stopping => return Ok(()),
                batch = self.next() => batch?,
            };
            let mut pause = SHORTEST_PAUSE;
            while let Err(fault) = self.take(&batch).await {
                tracing::warn!(
                    consumer = self.receiver.name,
                    events = batch.len(),
                    reason = fault.chain(),
                    "events could not be taken yet"
                );
                let met = tokio::select! {
                    biased;
                    () = &mut stopping => return Ok(()),
                    met = self.hold(pause) => met?,
                };
                let owned = self.owned()?;
                batch.retain(|delivered| is_among(&owned, &delivered.origin));
                batch.extend(met);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            if pause > SHORTEST_PAUSE {
                self.consumer.resume(&self.owned()?).map_err(away)?;
            }
            self.store(&batch);
        }
    }

    /// The next records, at least one.
    async fn next(&self) -> Result<Vec<Delivered>, Fault> {
        let mut batch = vec![self.receive().await?];
        while batch.len() < BATCH
            && let Some(more) = self.receive().now_or_never()
        {
            batch.push(more?);
        }
        Ok(batch)
    }

    async fn receive(&self) -> Result<Delivered, Fault> {
        loop {
            match self.consumer.recv().await {
                Ok(message) => {
                    let publisher = self.kafka.publisher(rdkafka::Message::topic(&message));
                    return Ok(read(&message, publisher));
                }
                Err(error) if is_fatal(&error) => return Err(away(error)),
                // It goes on by itself.
                Err(error) => tracing::debug!(consumer = self.receiver.name, %error, "no record yet"),
            }
        }
    }

    /// Has a batch applied, and everybody told.
    async fn take(&self, batch: &[Delivered]) -> Result<(), Fault> {
        let origins: HashMap<_, _> = batch.iter().map(|it| (it.event.id, &it.origin)).collect();
        let origin = |event: &Envelope| (*origins[&event.id]).clone();
        let mut buried = Vec::new();
        for delivered in batch {
            if let Some(reason) = &delivered.broken {
                self.receiver.bury(&delivered.event, reason, delivered.origin.to_string()).await?;
                buried.push(Buried { event: delivered.event.clone(), reason: reason.clone() });
            }
        }
        let whole: Vec<Envelope> =
            batch.iter().filter(|it| it.broken.is_none()).map(|it| it.event.clone()).collect();
        let ours = self.receiver.ours(&whole);
        let applied = self.receiver.apply(&ours, |event| origin(event).to_string()).await;
        // This process may have to do something in the background now, also where it went wrong: some may have been applied
        // before.
        self.receiver.tell(&ours);
        buried.extend(applied?);
        self.kafka.announce_dead(self.receiver.name, &buried, origin).await?;
        self.kafka.announce(self.receiver.name, &ours).await
    }

    /// Waits without taking records and without losing our place in the group. Only partitions that come to us
    /// meanwhile have something to say; they are held as well.
    async fn hold(&self, pause: Duration) -> Result<Met, Fault> {
        let until = Instant::now() + pause;
        let mut met = Met::new();
        loop {
            self.consumer.pause(&self.owned()?).map_err(away)?;
            match timeout_at(until, self.receive()).await {
                Ok(delivered) => met.push(delivered?),
                Err(_) => return Ok(met),
            }
        }
    }

    fn owned(&self) -> Result<TopicPartitionList, Fault> {
        self.consumer.assignment().map_err(away)
    }

    /// Says how far we are. Where a partition was given to another meanwhile, that one says it.
    fn store(&self, batch: &[Delivered]) {
        if let Err(error) = self.consumer.store_offsets(&offsets_after(batch)) {
            tracing::debug!(consumer = self.receiver.name, %error, "offsets are another's to store");
        }
    }

    /// Leaves the group in order: what is stored is committed, and others take over at once.
    async fn leave(self) {
        let consumer = self.consumer;
        if let Err(fault) = blocking(move || drop(consumer)).await {
            tracing::debug!(reason = fault.chain(), "the group was left in disorder");
        }
    }
}

fn is_among(owned: &TopicPartitionList, origin: &Origin) -> bool {
    owned.find_partition(&origin.topic, origin.partition).is_some()
}

fn offsets_after(batch: &[Delivered]) -> TopicPartitionList {
    let mut next: HashMap<(&str, i32), i64> = HashMap::new();
    for Delivered { origin, .. } in batch {
        let offset = next.entry((&origin.topic, origin.partition)).or_default();
        *offset = (*offset).max(origin.offset + 1);
    }
    let mut offsets = TopicPartitionList::new();
    for ((topic, partition), offset) in next {
        // Refused only for a partition that is listed already.
        let _ = offsets.add_partition_offset(topic, partition, Offset::Offset(offset));
    }
    offsets
}

/// The state of a partition that the client fetches from.
const FETCHED: &str = "active";

/// Hears what the client says of itself.
struct Watch {
    subgraph: &'static str,
}

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(consumer = self.subgraph, %error, reason, "Kafka's client met an error");
    }

    fn stats(&self, statistics: Statistics) {
        for (name, topic) in statistics.topics {
            for (partition, figures) in topic.partitions {
                if partition >= 0 {
                    // What is another's now has no lag of ours, whatever the client remembers of it.
                    let is_ours = figures.fetch_state == FETCHED;
                    let lag = if is_ours { figures.consumer_lag.max(0) } else { 0 };
                    let labels = [
                        ("subgraph", self.subgraph.to_owned()),
                        ("topic", name.clone()),
                        ("partition", partition.to_string()),
                    ];
                    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
                    metrics::gauge!("techpotli_consumer_lag", &labels).set(lag as f64);
                }
            }
        }
    }
}

impl ConsumerContext for Watch {
    fn commit_callback(&self, result: Result<(), KafkaError>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(consumer = self.subgraph, %error, "offsets were not committed");
        }
    }
}
