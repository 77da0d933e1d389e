//! Follows what was applied for a subgraph, by whatever process: for memory, such as caches and live streams.
//!
//! No group: every process reads the whole topic, from a moment shortly before it was started, and commits nothing. To
//! be told of something twice, or of something that was loaded already, does no harm.

use std::time::Duration;

use common::{Fault, Timestamp};
use futures::FutureExt as _;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::{Offset, TopicPartitionList};

use super::record::read;
use super::{ANSWER, Kafka, Kind, Quiet, away, blocking, client, is_fatal};
use crate::{Envelope, Receiver};

/// Events that memory is told of at once.
const BATCH: usize = 100;
/// How far clocks may differ between those who apply and us.
const MARGIN: Duration = Duration::from_secs(60);
/// Pauses between tries while no broker answers.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tells `receiver`'s memory of what is applied from `since` on, for ever.
pub(crate) async fn follow(kafka: &Kafka, receiver: &Receiver, since: Timestamp) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let lost = match begin(kafka, receiver.name, since).await {
            Ok(consumer) => {
                pause = SHORTEST_PAUSE;
                read_on(&consumer, receiver).await
            }
            Err(fault) => fault,
        };
        tracing::warn!(subgraph = receiver.name, reason = lost.chain(), "applied events are not heard of");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl rdkafka::consumer::ConsumerContext for Quiet {}

async fn begin(kafka: &Kafka, subgraph: &str, since: Timestamp) -> Result<StreamConsumer<Quiet>, Fault> {
    let topic = kafka.topic(Kind::Applied, subgraph);
    kafka.make(Kind::Applied, std::slice::from_ref(&topic)).await?;
    let mut config = client(&kafka.0.brokers);
    config
        // The client wants a name; nothing is committed under it.
        .set("group.id", format!("{}.follow", kafka.0.topics.prefix))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "100");
    let consumer: StreamConsumer<Quiet> = config.create_with_context(Quiet).map_err(away)?;
    let since = since.minus(MARGIN).millis();
    blocking(move || {
        // First, so that nothing falls between this end and what comes after it.
        let (_, end) = consumer.fetch_watermarks(&topic, 0, ANSWER)?;
        let mut places = TopicPartitionList::new();
        places.add_partition_offset(&topic, 0, Offset::Offset(since))?;
        let found = consumer.offsets_for_times(places, ANSWER)?;
        let first =
            found.elements().first().map(|place| place.error().map(|()| place.offset())).transpose()?;
        let mut places = TopicPartitionList::new();
        match first {
            Some(place @ Offset::Offset(_)) => places.add_partition_offset(&topic, 0, place)?,
            _ => places.add_partition_offset(&topic, 0, Offset::Offset(end))?,
        }
        consumer.assign(&places)?;
        Ok(consumer)
    })
    .await?
    .map_err(away)
}

/// Ends when the client cannot be used any more.
async fn read_on(consumer: &StreamConsumer<Quiet>, receiver: &Receiver) -> Fault {
    loop {
        let mut events: Vec<Envelope> = Vec::new();
        loop {
            let next = match events.is_empty() {
                true => Some(consumer.recv().await),
                false if events.len() < BATCH => consumer.recv().now_or_never(),
                false => None,
            };
            match next {
                Some(Ok(message)) => {
                    let delivered = read(&message, "");
                    events.extend(delivered.broken.is_none().then_some(delivered.event));
                }
                Some(Err(error)) if is_fatal(&error) => return away(error),
                // It goes on by itself.
                Some(Err(error)) => {
                    tracing::debug!(subgraph = receiver.name, %error, "no record yet");
                }
                None => break,
            }
        }
        receiver.tell(&events);
    }
}
