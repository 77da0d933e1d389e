//! Two gateways before a shop that reads from a replica: what is written by one is not missed by the other, with a Redis
//! between them and while it is away.

use std::time::Duration;

use anyhow::ensure;
use futures::future::try_join_all;
use services::{Ground, Server, Service};

use crate::client::Client;
use crate::node::skipped;
use crate::process::Process;
use crate::replica::{ABREAST, Shop, Shopper};
use crate::stage::eventually;

/// Pairs of a write at one gateway and a read at the other.
const PAIRS: usize = 240;
const FEW: usize = 120;
/// How often Redis is lost between a write and a read.
const LOSSES: usize = 5;
/// Reads whose viewer may have written anything, as far as a gateway knows.
const IN_DOUBT: &str = "gateway_written_in_doubt_total";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_by_one_gateway_reads_it_by_another_without_a_cookie() -> anyhow::Result<()> {
    for service in [Service::MariadbReplica, Service::Redis] {
        if let Err(why) = service.install() {
            return skipped("reading one's writes by another gateway", &why.to_string());
        }
    }
    let shop = Shop::start().await?;
    let ground = Ground::temporary()?;
    let redis = services::redis::start(&ground)?;
    shop.replica_is(1.0).await?;
    shop.replica.hold_behind(Duration::from_secs(2))?;
    // What is judged here is what gateways know, not how quick the machine is.
    let shared = [("TECHPOTLI_REDIS_URL", redis.url()), ("TECHPOTLI_REDIS_TIMEOUT_MS", "5000")];
    let together = [shop.gateway(&shared).await?, shop.gateway(&shared).await?];
    let apart = [shop.gateway(&[]).await?, shop.gateway(&[]).await?];
    are_sure(&together).await?;
    let (kept, doubts) = stale(&together, PAIRS).await?;
    let (lost, _) = stale(&apart, FEW).await?;
    println!(
        "stale: {kept} of {PAIRS} with a shared Redis, {doubts} of them in doubt; {lost} of {FEW} without"
    );
    ensure!(kept == 0, "{kept} of {PAIRS} reads were older than the write before");
    ensure!(doubts == 0, "{doubts} reads were answered by the primary, whatever was written");
    ensure!(lost > FEW / 2, "the control is not stale either: {lost} of {FEW}");

    redis.kill()?;
    let (kept, doubts) = stale(&together, FEW).await?;
    forget(&redis)?;
    redis.start()?;
    let (back, doubts_then) = stale(&together, FEW).await?;
    println!(
        "stale: {kept} of {FEW} while Redis is away, {doubts} in doubt; {back} of {FEW} once it is back with nothing in \
         it, {doubts_then} in doubt"
    );
    ensure!(kept == 0 && back == 0, "{kept} and {back} reads were older than the write before");
    ensure!(doubts > 0 && doubts_then > 0, "nobody noticed");

    are_sure(&together).await?;
    let mut shopper = Shopper::new(&together[0].base, 90).await?;
    for loss in 0..LOSSES {
        shopper.client = Client::guest(&together[loss % 2].base);
        shopper.add().await?;
        redis.kill()?;
        forget(&redis)?;
        redis.start()?;
        shopper.client = Client::guest(&together[(loss + 1) % 2].base);
        ensure!(shopper.sees(None).await?, "a write that was forgotten with Redis is missed");
    }
    are_sure(&together).await?;
    let (kept, doubts) = stale(&together, FEW).await?;
    ensure!(kept == 0 && doubts == 0, "{kept} of {FEW} stale, {doubts} in doubt after all that");
    let failures = [together, apart].iter().flatten().flat_map(Process::faults).collect::<Vec<_>>();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Takes away what Redis has on disk.
fn forget(redis: &Server) -> std::io::Result<()> {
    std::fs::remove_dir_all(redis.folder().join("appendonlydir"))
}

/// How many of so many pairs did not see their own write, and how many requests the gateways were in doubt about.
async fn stale(gateways: &[Process; 2], pairs: usize) -> anyhow::Result<(usize, u64)> {
    let doors = gateways.each_ref().map(|gateway| Client::guest(&gateway.base));
    let before = doubts(&gateways[0]).await? + doubts(&gateways[1]).await?;
    let shoppers = (0..ABREAST).map(|number| {
        let doors = doors.clone();
        async move {
            let mut shopper = Shopper::new(&doors[number % 2].base, number).await?;
            let mut stale = 0;
            for _ in 0..pairs.div_ceil(ABREAST) {
                // Always the same two: a gateway remembers by itself what it was asked to write.
                shopper.client = doors[number % 2].clone();
                shopper.add().await?;
                shopper.client = doors[(number + 1) % 2].clone();
                stale += usize::from(!shopper.sees(None).await?);
            }
            anyhow::Ok(stale)
        }
    });
    let stale = try_join_all(shoppers).await?.into_iter().sum();
    Ok((stale, doubts(&gateways[0]).await? + doubts(&gateways[1]).await? - before))
}

/// Waits until gateways that have just begun, or lost their Redis, are sure again of what they hear.
async fn are_sure(gateways: &[Process; 2]) -> anyhow::Result<()> {
    for gateway in gateways {
        let stranger = Shopper::new(&gateway.base, 99).await?;
        eventually("a gateway that is sure", || async {
            let before = doubts(gateway).await?;
            stranger.sees(None).await?;
            Ok((doubts(gateway).await? == before).then_some(()))
        })
        .await?;
    }
    Ok(())
}

async fn doubts(gateway: &Process) -> anyhow::Result<u64> {
    let text = Client::guest(&gateway.base).get("/metrics", &[]).await?.text;
    let counts = text.lines().filter_map(|line| line.strip_prefix(IN_DOUBT)?.trim().parse::<u64>().ok());
    Ok(counts.sum())
}
