//! Broker or database away for a while: nothing is lost, nothing is applied twice, nothing is buried.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::ensure;
use common::Fault;
use messaging::Consumer;

use crate::bench::{self, Counted};
use crate::{Set, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_costs_no_event() -> anyhow::Result<()> {
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    set.relay();
    set.consume(bench::receiver(&set.listener, bench::consumer()));
    bench::write(&set.publisher, 10, 0..20).await?;
    for round in 1..4 {
        set.broker.kill()?;
        bench::write(&set.publisher, 10, round * 20..round * 20 + 10).await?;
        ensure!(set.bus.reach().await.is_err(), "the broker answers after a kill");
        set.broker.start()?;
        bench::write(&set.publisher, 10, round * 20 + 10..round * 20 + 20).await?;
    }
    set.applied(800).await?;
    bench::check(&bench::by_aggregate(&set.listener).await?, 10, 80)?;
    set.bus.reach().await.map_err(bench::told)?;
    set.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_a_database_that_is_away_and_are_not_buried() -> anyhow::Result<()> {
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    let (away, tries) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (is_away, tried) = (Arc::clone(&away), Arc::clone(&tries));
    let consumer = Consumer::new(&[<Counted as events::Event>::TOPIC], move |tx, envelope| {
        let (is_away, tried) = (Arc::clone(&is_away), Arc::clone(&tried));
        Box::pin(async move {
            tried.fetch_add(1, Ordering::Relaxed);
            match is_away.load(Ordering::Relaxed) {
                true => Err(Fault::unavailable("The database", "it is away")),
                false => bench::note(tx, envelope).await,
            }
        })
    });
    set.relay();
    set.consume(bench::receiver(&set.listener, consumer));
    bench::write(&set.publisher, 10, 0..10).await?;
    // More than three, after which an event is buried that fails by itself.
    eventually("many tries", || async { Ok((tries.load(Ordering::Relaxed) > 8).then_some(())) }).await?;
    bench::write(&set.publisher, 10, 10..20).await?;
    away.store(false, Ordering::Relaxed);
    set.applied(200).await?;
    bench::check(&bench::by_aggregate(&set.listener).await?, 10, 20)?;
    let buried = bench::dead_letters(&set.listener).await?;
    ensure!(buried.is_empty(), "buried: {buried:?}");
    set.end().await
}
