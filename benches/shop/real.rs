//! Gateway, subgraphs and workers as processes on the engines of a large installation: what each of them spends on a
//! request.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use services::{Engines, Ground, Server};

use crate::fleet::{Fleet, cpu};
use crate::measure::{COLD, Cost, Pair};
use crate::shopper::Shopper;
use crate::world::{Asked, Query, variant};

const LENGTH: Duration = Duration::from_millis(4_000);
/// Carts and checkouts that are measured, and those before them.
const BOUGHT: usize = 120;
const BEFORE: usize = 20;
/// Who spends CPU time.
const WHO: [&str; 9] =
    ["gateway", "subgraphs", "workers", "MariaDB", "replica", "Redis", "Kafka", "search", "Keycloak"];

/// CPU seconds by [`WHO`].
type Spent = [f64; WHO.len()];

struct Set {
    engines: Engines,
    fleet: Fleet,
}

impl Set {
    fn spent(&self) -> anyhow::Result<Spent> {
        let of = |servers: &[&Server]| servers.iter().map(|server| server.cpu().as_secs_f64()).sum();
        let Engines { primary, replica, apart, redis, kafka, search, keycloak } = &self.engines;
        Ok([
            self.fleet.gateway.cpu()?.as_secs_f64(),
            cpu(&self.fleet.subgraphs)?.as_secs_f64(),
            cpu(&self.fleet.workers)?.as_secs_f64(),
            of(&[&primary.server, &apart.server]),
            of(&[&replica.server]),
            of(&redis.nodes.iter().collect::<Vec<_>>()),
            of(&[kafka]),
            of(&[search]),
            of(&[&keycloak.server]),
        ])
    }
}

/// Measures and prints.
pub async fn shop(binary: &Path, data: &Path) -> anyhow::Result<()> {
    Engines::install()?;
    let engines = Engines::start(&Ground::temporary()?)?;
    let mut settings = engines.settings();
    // So that Redis counts and nobody is refused.
    let often = "100000000".to_owned();
    settings.extend([("TECHPOTLI_RATE_USER", often.clone()), ("TECHPOTLI_RATE_ADDRESS", often)]);
    let seeded = Command::new(binary)
        .arg("seed")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .env("TECHPOTLI_DATA_DIR", data)
        .current_dir(data)
        .status()?;
    if !seeded.success() {
        bail!("the databases were not filled");
    }
    engines.replicated()?;
    let fleet = Fleet::start(binary, data, &settings, 1).context("a process of the shop")?;
    let set = Set { engines, fleet };
    let mut pair = Pair::open(&set.fleet.gateway).await?;
    // Until the search engine has its index.
    tokio::time::sleep(LENGTH * 3).await;
    let idle = idle(&set).await?;
    println!("\nOn real engines: CPU milliseconds a request, less what each spends on nothing.\n");
    println!("|Operation|{}|Together|Requests/s|", WHO.join("|"));
    println!("|-|{}-|-|", "-|".repeat(WHO.len()));
    println!("|nothing, a second|{}|–|", row(&idle.map(|spent| spent * 1_000.0)));
    let asked = Asked::read()?;
    for (name, query) in [
        ("02 home", Query::Home),
        ("03 listing of 24", Query::Listing),
        ("03 text and facets", Query::Text),
        ("04 suggestions", Query::Suggest),
        ("05 product page", Query::Product),
    ] {
        pair.once(&set.fleet.gateway, &asked.cold(query, COLD)).await?;
        let warm = asked.warm(query);
        pair.repeat(&set.fleet.gateway, &warm, LENGTH / 5).await?;
        let (before, begun) = (set.spent()?, Instant::now());
        let cost = pair.repeat(&set.fleet.gateway, &warm, LENGTH).await?;
        print(name, &before, &set.spent()?, begun.elapsed(), &idle, &cost);
    }
    let shopper = Shopper::read()?;
    let mut bodies = Vec::new();
    for place in 0..BEFORE + BOUGHT {
        let cart = shopper.cart(&mut pair.0).await?;
        bodies.push(shopper.add.body(Shopper::line(&cart, &variant(place % BEFORE))));
    }
    let (first, others) = bodies.split_at(BEFORE);
    pair.once(&set.fleet.gateway, first).await?;
    let (before, begun) = (set.spent()?, Instant::now());
    let cost = pair.once(&set.fleet.gateway, others).await?;
    print("06 first add to cart", &before, &set.spent()?, begun.elapsed(), &idle, &cost);
    let buy = async |pair: &mut Pair, places: std::ops::Range<usize>| {
        pair.timed(&set.fleet.gateway, |connection, half| {
            let (shopper, places) = (&shopper, places.clone());
            async move {
                let mut bought = 0;
                for place in places.skip(half).step_by(2) {
                    shopper.buy(connection, &variant(place % 40)).await?;
                    bought += 1;
                }
                Ok(bought)
            }
        })
        .await
    };
    buy(&mut pair, 0..BEFORE).await?;
    let (before, begun) = (set.spent()?, Instant::now());
    let cost = buy(&mut pair, BEFORE..BEFORE + BOUGHT).await?;
    print("whole guest checkout", &before, &set.spent()?, begun.elapsed(), &idle, &cost);
    Ok(())
}

/// What each spends in a second in which nobody asks for anything.
async fn idle(set: &Set) -> anyhow::Result<Spent> {
    let (before, begun) = (set.spent()?, Instant::now());
    tokio::time::sleep(LENGTH * 2).await;
    let (after, seconds) = (set.spent()?, begun.elapsed().as_secs_f64());
    Ok(std::array::from_fn(|who| (after[who] - before[who]) / seconds))
}

fn print(name: &str, before: &Spent, after: &Spent, took: Duration, idle: &Spent, cost: &Cost) {
    let requests = cost.requests as f64;
    let each: Spent = std::array::from_fn(|who| {
        let spent = after[who] - before[who] - idle[who] * took.as_secs_f64();
        spent.max(0.0) * 1_000.0 / requests
    });
    println!("|{name}|{}|{:.0}|", row(&each), cost.rate());
}

fn row(spent: &Spent) -> String {
    let cells = spent.iter().map(|spent| format!("{spent:.2}|")).collect::<String>();
    format!("{cells}{:.2}", spent.iter().sum::<f64>())
}
