//! A relay that goes on after its lease is over publishes events again, and changes no order.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::{ClientConfig, Message as _};

use crate::bench::{self, Counted};
use crate::{Set, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_stopped_in_a_batch_and_goes_on_later_keeps_the_order() -> anyhow::Result<()> {
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    let (aggregates, mut held) = (5, Vec::new());
    bench::write(&set.publisher, aggregates, 0..4).await?;
    set.consume(bench::receiver(&set.listener, bench::consumer()));
    for round in 0..5 {
        // What a relay has read when it is stopped …
        held.push(messaging::pending(&set.publisher).await.map_err(bench::told)?);
        if round == 0 {
            set.relay();
        }
        bench::write(&set.publisher, aggregates, 4 + round * 4..8 + round * 4).await?;
        // … it publishes beside the one that took over, at any time later.
        let bus = set.bus.clone();
        for late in held.clone() {
            bus.publish(late).await.map_err(bench::told)?;
        }
    }
    set.applied(24 * 5).await?;
    eventually("an empty outbox", || async {
        let pending = messaging::pending(&set.publisher).await.map_err(bench::told)?;
        Ok(pending.is_empty().then_some(()))
    })
    .await?;
    bench::check(&bench::by_aggregate(&set.listener).await?, aggregates, 24)?;
    let log = log(set.broker.url()).await?;
    ensure!(log.len() > 24 * 5, "nothing was published twice, so nothing is shown");
    first_appearances(&log, 24)?;
    set.end().await
}

#[test]
fn a_wrong_order_is_found() {
    let log = |numbers: &[i64]| -> Vec<(String, i64)> {
        numbers.iter().map(|number| ("a".to_owned(), *number)).collect()
    };
    assert!(first_appearances(&log(&[0, 1, 0, 1, 2]), 3).is_ok());
    assert!(first_appearances(&log(&[0, 2, 1, 2]), 3).is_err());
    assert!(first_appearances(&log(&[0, 1]), 3).is_err());
}

/// Of each aggregate, no number before the one below it, and all of them.
fn first_appearances(log: &[(String, i64)], count: i64) -> anyhow::Result<()> {
    let mut next: HashMap<&str, i64> = HashMap::new();
    for (aggregate, number) in log {
        let next = next.entry(aggregate).or_default();
        ensure!(number <= next, "{aggregate}: {number} before {next}");
        *next = (*next).max(number + 1);
    }
    ensure!(next.values().all(|next| *next == count), "not all appeared: {next:?}");
    Ok(())
}

/// All that is in the publisher's topic, each partition in its order.
async fn log(broker: &str) -> anyhow::Result<Vec<(String, i64)>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker).set("group.id", "watch").set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&["bench.counting"])?;
    let mut missing = 0;
    for partition in 0..4 {
        let (_, end) = consumer.fetch_watermarks("bench.counting", partition, Duration::from_secs(30))?;
        missing += end;
    }
    let mut log = Vec::new();
    for _ in 0..missing {
        let record = tokio::time::timeout(Duration::from_secs(60), consumer.recv()).await;
        let record = record.context("the log ends early")??.detach();
        let event: Counted = serde_json::from_slice(record.payload().context("a value")?)?;
        log.push((event.aggregate, event.number));
    }
    Ok(log)
}
