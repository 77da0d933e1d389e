//! What cannot be applied ends beside the stream, with its reason, and the stream goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use common::Fault;
use messaging::Consumer;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{Headers as _, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message as _};

use crate::Set;
use crate::bench::{self, Counted};

/// Refuses every fourth number.
fn picky() -> Consumer {
    Consumer::new(&[<Counted as events::Event>::TOPIC], |tx, envelope| {
        Box::pin(async move {
            match envelope.open::<Counted>()?.number % 4 {
                3 => Err(Fault::bad_input("nobody wants every fourth")),
                _ => bench::note(tx, envelope).await,
            }
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_becomes_a_dead_letter_with_its_reason_and_holds_up_nothing() -> anyhow::Result<()> {
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    set.relay();
    set.consume(bench::receiver(&set.listener, picky()));
    bench::write(&set.publisher, 2, 0..4).await?;
    set.applied(6).await?;
    // What no relay of ours would write: neither id nor JSON and a key of any length, in every partition.
    let key = "k".repeat(500);
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", set.broker.url()).create()?;
    for partition in 0..4 {
        let record =
            FutureRecord::to("bench.counting").key(&key).payload("\u{1}no JSON").partition(partition);
        let sent = producer.send(record, Duration::from_secs(30)).await;
        sent.map_err(|(error, _)| error)?;
    }
    bench::write(&set.publisher, 2, 4..8).await?;
    set.applied(12).await?;
    let facts = bench::by_aggregate(&set.listener).await?;
    ensure!(facts.values().all(|numbers| *numbers == [0, 1, 2, 4, 5, 6]), "{facts:?}");

    // An event that came after the poison of its partition was applied, so all poison has been dealt with.
    let told = dead_records(set.broker.url(), 8).await?;
    let buried = bench::dead_letters(&set.listener).await?;
    ensure!(buried.len() == 8, "{} dead letters: {buried:#?}", buried.len());
    let mut refused = 0;
    for letter in &buried {
        let headers = told.get(&letter.event.id.to_string()).context("a dead letter nobody was told of")?;
        let origin =
            format!("{}/{}@{}", headers["dead-topic"], headers["dead-partition"], headers["dead-offset"]);
        ensure!(letter.origin == origin, "{} is not {origin}", letter.origin);
        ensure!(headers["dead-topic"] == "bench.counting", "{headers:?}");
        ensure!(headers["dead-reason"] == letter.reason, "{headers:?} is not {}", letter.reason);
        refused += usize::from(letter.reason == "nobody wants every fourth");
    }
    ensure!(refused == 4, "{refused} of 4 are dead for their own reason: {buried:#?}");
    set.end().await
}

/// The headers of the first `count` different records in the topic of dead letters, by the event's id.
async fn dead_records(
    broker: &str,
    count: usize,
) -> anyhow::Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker).set("group.id", "watch").set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&["bench.dead.listening"])?;
    let mut records = BTreeMap::new();
    while records.len() < count {
        let record = tokio::time::timeout(Duration::from_secs(60), consumer.recv()).await;
        let record = record.context(format!("{} of {count} dead letters", records.len()))??.detach();
        let headers = headers(&record).context("a dead letter has headers")?;
        records.insert(headers["event-id"].clone(), headers);
    }
    Ok(records)
}

fn headers(record: &OwnedMessage) -> Option<BTreeMap<String, String>> {
    let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    let headers = record.headers()?.iter();
    Some(headers.map(|header| (header.key.to_owned(), text(header.value))).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_replayed_once_however_often_it_is_asked_for() -> anyhow::Result<()> {
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    set.relay();
    set.consume(bench::receiver(&set.listener, picky()));
    bench::write(&set.publisher, 1, 0..5).await?;
    set.applied(4).await?;
    let letter = bench::dead_letters(&set.listener).await?.pop().context("a dead letter")?;
    let unchanged = bench::receiver(&set.listener, picky());
    ensure!(unchanged.replay(&letter.event).await.is_err(), "what refused it refuses it again");
    ensure!(bench::dead_letters(&set.listener).await?.len() == 1, "it stays");
    let corrected = bench::receiver(&set.listener, bench::consumer());
    ensure!(corrected.replay(&letter.event).await.map_err(bench::told)?, "it was a dead letter");
    ensure!(!corrected.replay(&letter.event).await.map_err(bench::told)?, "it is none any more");
    let facts = bench::by_aggregate(&set.listener).await?;
    ensure!(facts["a0"] == [0, 1, 2, 4, 3], "{facts:?}");
    set.end().await
}
