//! Many workers share the work of one subgraph, and its processes hear of what any of them applied.

use std::sync::{Arc, Mutex};

use anyhow::ensure;
use common::Clock;
use tokio::sync::watch;

use crate::bench::{self, Counted};
use crate::{Set, eventually, stopped};

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_workers_and_every_event_is_applied_once_and_in_order() -> anyhow::Result<()>
{
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    let (aggregates, first) = (16, watch::Sender::new(false));
    set.relay();
    set.relay();
    set.consume_until(bench::receiver(&set.listener, bench::consumer()), stopped(first.subscribe()));
    bench::write(&set.publisher, aggregates, 0..10).await?;
    set.applied(160).await?;
    // A second comes while events are under way, and the first goes while more are.
    set.consume(bench::receiver(&set.listener, bench::consumer()));
    bench::write(&set.publisher, aggregates, 10..40).await?;
    first.send_replace(true);
    bench::write(&set.publisher, aggregates, 40..60).await?;
    set.applied(60 * 16).await?;
    bench::check(&bench::by_aggregate(&set.listener).await?, aggregates, 60)?;
    set.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_hears_of_what_another_process_applied() -> anyhow::Result<()> {
    let Some(mut set) = Set::start().await? else { return Ok(()) };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let telling = bench::consumer().after(move |events| {
        let numbers = events.iter().map(|event| event.open::<Counted>().unwrap().number);
        hearing.lock().unwrap().extend(numbers);
    });
    let begun = Clock::system().now();
    // The process that serves has memory and does not consume; the one that consumes has no memory.
    let follower = bench::receiver(&set.listener, telling);
    let bus = set.bus.clone();
    // Aborted where it is dropped.
    let mut following = tokio::task::JoinSet::new();
    following.spawn(async move { bus.follow(follower, begun).await });
    set.relay();
    set.consume(bench::receiver(&set.listener, bench::consumer()));
    bench::write(&set.publisher, 1, 0..5).await?;
    eventually("all numbers heard", || async {
        let heard = heard.lock().unwrap().clone();
        ensure!(heard.len() <= 5, "heard {heard:?}");
        Ok((heard == [0, 1, 2, 3, 4]).then_some(()))
    })
    .await?;
    drop(following);
    set.end().await
}
