//! Four gateway processes that count in one Redis admit what the limit says, and no more (GCRA; `docs/gateway.md`).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::routing::post;
use axum::{Json, Router};
use common::Clock;
use futures::future::try_join_all;
use runtime::Tasks;
use serde_json::json;
use services::{Ground, Service};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::node::skipped;
use crate::process::{Process, binary};

const GATEWAYS: usize = 4;
/// Requests under way at a time.
const CALLERS: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn four_gateways_admit_what_the_limit_says_in_one_redis() -> anyhow::Result<()> {
    if let Err(missing) = Service::Redis.install() {
        return skipped("the limit of four gateways in one Redis", &missing.to_string());
    }
    let ground = Ground::temporary()?;
    let server = services::redis::start(&ground)?;
    judge(server.url()).await?;
    let ideal = 600.0;
    let naive = get_and_set(server.url(), 600).await?;
    println!("control: GET and SET admit {naive} of {ideal}");
    ensure!(naive > ideal * 1.01, "the control admits {naive} of {ideal}: this test could not fail");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_gateways_admit_what_the_limit_says_in_a_cluster() -> anyhow::Result<()> {
    if let Err(missing) = Service::RedisCluster.install() {
        return skipped("the limit of four gateways in a Redis cluster", &missing.to_string());
    }
    let ground = Ground::temporary()?;
    let cluster = services::redis::cluster(&ground)?;
    judge(&format!("redis+cluster://{}", cluster.urls().replace("redis://", ""))).await
}

/// Requests whose CPU time is measured together.
const MEASURED: usize = 3_000;

/// What a limit costs, by the CPU time of a gateway's process: without one, counted by itself, counted in Redis, refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_limit_costs_is_printed_and_each_request_is_admitted_or_refused() -> anyhow::Result<()> {
    if let Err(missing) = Service::Redis.install() {
        return skipped("what a limit costs", &missing.to_string());
    }
    let ground = Ground::temporary()?;
    let server = services::redis::start(&ground)?;
    let folder = tempfile::tempdir()?;
    let supergraph = one_subgraph(folder.path()).await?;
    for (name, redis, rate, status) in [
        ("no limit", "memory", "0", 200),
        ("counted here", "memory", "1000000", 200),
        ("counted in Redis", server.url(), "1000000", 200),
        ("refused", server.url(), "1", 429),
    ] {
        let mut command = binary(folder.path());
        command
            .env("TECHPOTLI_LISTEN", "127.0.0.1:0")
            .env("TECHPOTLI_REDIS_URL", redis)
            .env("TECHPOTLI_REDIS_TIMEOUT_MS", "5000")
            .env("TECHPOTLI_RATE_ADDRESS", rate)
            .env("TECHPOTLI_RATE_FIELDS", "other=1000000")
            .env("TECHPOTLI_TRUSTED_PROXIES", "127.0.0.1")
            .args(["gateway", "--supergraph"])
            .arg(&supergraph);
        let gateway = Process::start(command).await?;
        let door = Client::guest(&gateway.base);
        // The first plans, connects, and uses up a quota of one.
        for _ in 0..20 {
            ask(&door, "10.7.0.1").await?;
        }
        let before = gateway.cpu()?;
        let callers = (0..8).map(|_| {
            let door = door.clone();
            async move {
                for _ in 0..MEASURED / 8 {
                    let answered = ask(&door, "10.7.0.1").await?;
                    ensure!(answered == status, "{name}: {answered}");
                }
                Ok(())
            }
        });
        callers.collect::<JoinSet<_>>().join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
        let each = (gateway.cpu()? - before).as_secs_f64() * 1e6 / MEASURED as f64;
        println!("{name}: {each:.0} us of CPU a request in the gateway");
    }
    Ok(())
}

/// With one key, and with a hundred.
async fn judge(redis: &str) -> anyhow::Result<()> {
    for (keys, a_minute) in [(1, 600), (100, 60)] {
        let folder = tempfile::tempdir()?;
        let supergraph = one_subgraph(folder.path()).await?;
        let gateways = try_join_all((0..GATEWAYS).map(|_| {
            let mut command = binary(folder.path());
            command
                .env("TECHPOTLI_LISTEN", "127.0.0.1:0")
                .env("TECHPOTLI_REDIS_URL", redis)
                // The limit is judged here, not how quick the machine is.
                .env("TECHPOTLI_REDIS_TIMEOUT_MS", "5000")
                .env("TECHPOTLI_GATEWAYS", GATEWAYS.to_string())
                .env("TECHPOTLI_RATE_ADDRESS", a_minute.to_string())
                .env("TECHPOTLI_RATE_FIELDS", "other=1000000")
                .env("TECHPOTLI_TRUSTED_PROXIES", "127.0.0.1")
                .args(["gateway", "--supergraph"])
                .arg(&supergraph);
            Process::start(command)
        }))
        .await?;
        let doors: Vec<Client> = gateways.iter().map(|gateway| Client::guest(&gateway.base)).collect();
        // A gateway connects when it is first asked, and until then counts by itself: others' addresses.
        for (number, door) in doors.iter().enumerate() {
            for host in 0..100 {
                ensure!(ask(door, &format!("10.9.{number}.{host}")).await? == 200, "nobody has asked yet");
            }
        }
        let (admitted, least, most) = flood(&doors, keys, f64::from(a_minute)).await?;
        println!("{keys} keys: {admitted} admitted of an ideal {least:.0} to {most:.0}");
        let faults: Vec<String> = gateways.iter().flat_map(Process::faults).collect();
        ensure!(faults.is_empty(), "faults in the log: {faults:#?}");
        let admitted = admitted as f64;
        ensure!(admitted >= least * 0.99, "{admitted} admitted, at least {least} should have been");
        ensure!(admitted <= most * 1.01, "{admitted} admitted, at most {most} should have been");
    }
    Ok(())
}

/// Asks for each key until all of its quota is used up and each gateway has refused it; how many were admitted, and the
/// bounds of what should have been by the time that passed, as it was seen from here.
async fn flood(doors: &[Client], keys: usize, a_minute: f64) -> anyhow::Result<(usize, f64, f64)> {
    let (admitted, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let turns = Arc::new(AtomicUsize::new(0));
    let enough = keys * 12;
    let begun = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let (doors, admitted, refused) = (doors.to_vec(), Arc::clone(&admitted), Arc::clone(&refused));
        let turns = Arc::clone(&turns);
        async move {
            let mut last = Duration::ZERO;
            while refused.load(Ordering::Acquire) < enough {
                let turn = turns.fetch_add(1, Ordering::AcqRel);
                let key = turn % keys;
                let door = &doors[turn / keys % doors.len()];
                last = begun.elapsed();
                match ask(door, &format!("10.1.{}.{}", key / 250, key % 250 + 1)).await? {
                    200 => admitted.fetch_add(1, Ordering::AcqRel),
                    429 => refused.fetch_add(1, Ordering::AcqRel),
                    status => anyhow::bail!("status {status}"),
                };
            }
            Ok((last, begun.elapsed()))
        }
    });
    let ends = callers.collect::<JoinSet<_>>().join_all().await;
    let ends: Vec<(Duration, Duration)> = ends.into_iter().collect::<anyhow::Result<_>>()?;
    let earliest = ends.iter().map(|(sent, _)| *sent).min().context("somebody asked")?;
    let latest = ends.iter().map(|(_, answered)| *answered).max().context("somebody asked")?;
    // A key's quota begins to come back with its first request, which was sent in the first round.
    let ideal =
        |passed: Duration| keys as f64 * (a_minute + (passed.as_secs_f64() * a_minute / 60.0).floor());
    let first_round = Duration::from_millis(500);
    let least = ideal(earliest.saturating_sub(first_round));
    Ok((admitted.load(Ordering::Acquire), least, ideal(latest)))
}

async fn ask(door: &Client, address: &str) -> anyhow::Result<u16> {
    let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
    Ok(door.post(r#"{"query":"{ hello }"}"#, &headers).await?.status)
}

/// The same limit, with the account read and written in two steps.
async fn get_and_set(redis: &str, quota: u32) -> anyhow::Result<f64> {
    let client = redis::Client::open(redis)?;
    let begun = Instant::now();
    let callers = (0..GATEWAYS * CALLERS).map(|_| {
        let client = client.clone();
        async move {
            let mut link = client.get_multiplexed_async_connection().await?;
            let (mut admitted, each) = (0_u32, 60_000_000 / u64::from(quota));
            while begun.elapsed() < Duration::from_secs(2) {
                let now = u64::try_from(Clock::system().now().0)?;
                let known: Option<u64> = redis::cmd("GET").arg("control").query_async(&mut link).await?;
                let even = known.unwrap_or(0).max(now) + each;
                if even - now <= each * u64::from(quota) {
                    let () = redis::cmd("SET").arg("control").arg(even).query_async(&mut link).await?;
                    admitted += 1;
                }
            }
            anyhow::Ok(admitted)
        }
    });
    let admitted = callers.collect::<JoinSet<_>>().join_all().await;
    let admitted: u32 = admitted.into_iter().sum::<anyhow::Result<u32>>()?;
    let come_back = begun.elapsed().as_secs_f64() * f64::from(quota) / 60.0;
    Ok(f64::from(admitted) - come_back)
}

/// A subgraph that always says the same, and the supergraph over it.
async fn one_subgraph(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/graphql", listener.local_addr()?);
    let router =
        Router::new().route("/graphql", post(|| async { Json(json!({ "data": { "hello": "world" } })) }));
    runtime::server::serve("greeter", listener, router, &Tasks::new());
    let subgraph =
        compose::Subgraph { name: "greeter".into(), url, sdl: "type Query { hello: String }".into() };
    let composed = compose::compose(&[subgraph]).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let file = folder.join("supergraph.graphql");
    std::fs::write(&file, composed.supergraph_sdl)?;
    Ok(file)
}
