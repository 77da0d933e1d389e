//! The shop in one process.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::try_join;

use crate::client::Connection;
use crate::process::Process;
use crate::shopper::Shopper;
use crate::world::{Asked, Query, variant};

/// How long a warm measurement goes on.
const WARM: Duration = Duration::from_millis(2_500);
/// How many requests are made with cold caches.
pub const COLD: usize = 23;
/// New requests to a process that is warm.
const NEW: usize = 240;

/// What a number of requests took.
#[derive(Clone, Copy)]
pub struct Cost {
    pub requests: usize,
    pub wall: Duration,
    pub cpu: Duration,
}

impl Cost {
    /// CPU milliseconds a request.
    pub fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1_000.0 / self.requests as f64
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }
}

/// Two connections, as many as a small machine has cores.
pub struct Pair(pub Connection, pub Connection);

impl Pair {
    pub async fn open(process: &Process) -> anyhow::Result<Self> {
        Ok(Self(Connection::open(&process.address).await?, Connection::open(&process.address).await?))
    }

    /// Sends the bodies over and over for `length`, half of them on each connection.
    pub async fn repeat(
        &mut self,
        process: &Process,
        bodies: &[Bytes],
        length: Duration,
    ) -> anyhow::Result<Cost> {
        let end = Instant::now() + length;
        self.timed(process, |connection, half| {
            let bodies = bodies.to_vec();
            async move {
                let mut sent = 0;
                while Instant::now() < end {
                    connection.send(bodies[(2 * sent + half) % bodies.len()].clone()).await?;
                    sent += 1;
                }
                Ok(sent)
            }
        })
        .await
    }

    /// Sends each body once.
    pub async fn once(&mut self, process: &Process, bodies: &[Bytes]) -> anyhow::Result<Cost> {
        self.timed(process, |connection, half| {
            let bodies: Vec<Bytes> = bodies.iter().skip(half).step_by(2).cloned().collect();
            async move {
                let sent = bodies.len();
                for body in bodies {
                    connection.send(body).await?;
                }
                Ok(sent)
            }
        })
        .await
    }

    /// Runs the work on both connections and measures it to the end of what it leaves to be done.
    pub async fn timed<'a, F, W>(&'a mut self, process: &Process, work: F) -> anyhow::Result<Cost>
    where
        F: Fn(&'a mut Connection, usize) -> W,
        W: Future<Output = anyhow::Result<usize>> + 'a,
    {
        let before = process.cpu_at_rest().await?;
        let begun = Instant::now();
        let (left, right) = try_join(work(&mut self.0, 0), work(&mut self.1, 1)).await?;
        let wall = begun.elapsed();
        let cpu = process.cpu_at_rest().await? - before;
        Ok(Cost { requests: left + right, wall, cpu })
    }
}

/// A row of the table.
struct Row {
    name: &'static str,
    /// The very first request after a start, the document's plan included.
    first: Cost,
    /// The document planned, its subjects never asked for.
    cold: Option<Cost>,
    /// The same in a process that has answered hundreds of others.
    new: Option<Cost>,
    /// The same in one whose memory knows nothing of them either.
    read: Option<Cost>,
    warm: Cost,
    /// The same as warm, but that no answer is given twice.
    anew: Option<Cost>,
    /// CPU milliseconds of Vendure.
    mark: Option<f64>,
}

/// Measures and prints all operations.
pub async fn shop(binary: &Path, data: &Path) -> anyhow::Result<()> {
    let begun = Instant::now();
    drop(Process::start(binary, data, &[])?);
    println!("First start, demo world made: {:.1} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    drop(Process::start(binary, data, &[])?);
    println!("Second start: {:.2} s\n", begun.elapsed().as_secs_f64());
    let asked = Asked::read()?;
    let shopper = Shopper::read()?;
    let mut rows = Vec::new();
    for (name, query, mark) in [
        ("02 home", Query::Home, None),
        ("03 listing of 24", Query::Listing, Some(13.0)),
        ("03 text and facets", Query::Text, Some(34.0)),
        ("04 suggestions", Query::Suggest, None),
        ("05 product page", Query::Product, Some(14.0)),
    ] {
        let process = Process::start(binary, data, &[])?;
        let mut pair = Pair::open(&process).await?;
        let warm = asked.warm(query);
        let cold = asked.cold(query, COLD + 1);
        let (first, others) = cold.split_at(1);
        let first = pair.once(&process, first).await?;
        let cold = if others.is_empty() { None } else { Some(pair.once(&process, others).await?) };
        pair.repeat(&process, &warm, WARM / 5).await?;
        let bodies = warm;
        let warm = pair.repeat(&process, &bodies, WARM).await?;
        drop(process);
        let process = Process::start_with(binary, data, &[], &[("TECHPOTLI_REPEAT_ANSWERS_MS", "0".into())])?;
        let mut pair = Pair::open(&process).await?;
        pair.repeat(&process, &bodies, WARM / 5).await?;
        let anew = Some(pair.repeat(&process, &bodies, WARM).await?);
        drop(process);
        let process = Process::start(binary, data, &[])?;
        let mut pair = Pair::open(&process).await?;
        pair.repeat(&process, &bodies, WARM / 5).await?;
        let new = asked.cold(query, NEW);
        let new = if new.len() > 1 { Some(pair.once(&process, &new).await?) } else { None };
        drop(process);
        let (others, unseen) = asked.apart(query);
        let process = Process::start_with(binary, data, &[], &[("TECHPOTLI_WARM_UP", "false".into())])?;
        let mut pair = Pair::open(&process).await?;
        pair.repeat(&process, &others, WARM / 5).await?;
        let read = if unseen.is_empty() { None } else { Some(pair.once(&process, &unseen).await?) };
        rows.push(Row { name, first, cold, new, read, warm, anew, mark });
    }
    rows.push(first_add(binary, data, &shopper).await?);
    rows.push(checkout(binary, data, &shopper).await?);
    print(&rows);
    Ok(())
}

/// The add alone; the carts are made before.
async fn first_add(binary: &Path, data: &Path, shopper: &Shopper) -> anyhow::Result<Row> {
    let process = Process::start(binary, data, &[])?;
    let mut pair = Pair::open(&process).await?;
    let mut costs = Vec::new();
    let mut place = 0;
    for (count, products) in [(1, 300), (COLD, 300), (200, 20), (600, 20)] {
        let mut bodies = Vec::new();
        for _ in 0..count {
            let cart = shopper.cart(&mut pair.0).await?;
            bodies.push(shopper.add.body(Shopper::line(&cart, &variant(place % products))));
            place += 1;
        }
        costs.push(pair.once(&process, &bodies).await?);
    }
    Ok(Row {
        name: "06 first add to cart",
        first: costs[0],
        cold: Some(costs[1]),
        new: None,
        read: None,
        warm: costs[3],
        anew: None,
        mark: Some(16.0),
    })
}

/// Six requests; one checkout counts as one.
async fn checkout(binary: &Path, data: &Path, shopper: &Shopper) -> anyhow::Result<Row> {
    let process = Process::start(binary, data, &[])?;
    let mut pair = Pair::open(&process).await?;
    let mut costs = Vec::new();
    let mut place = 0;
    for (count, products) in [(1, 300), (COLD, 300), (20, 40), (120, 40)] {
        let start = place;
        place += count;
        let cost = pair
            .timed(&process, |connection, half| async move {
                let mut bought = 0;
                for place in (start + half..start + count).step_by(2) {
                    shopper.buy(connection, &variant(place % products)).await?;
                    bought += 1;
                }
                Ok(bought)
            })
            .await?;
        costs.push(cost);
    }
    Ok(Row {
        name: "whole guest checkout",
        first: costs[0],
        cold: Some(costs[1]),
        new: None,
        read: None,
        warm: costs[3],
        anew: None,
        mark: Some(71.0),
    })
}

fn print(rows: &[Row]) {
    println!(
        "The shop in one process: CPU milliseconds a request, warm requests a second over two connections,"
    );
    println!("and how many times less it is than Vendure's smallest figure.\n");
    let columns =
        ["First after start", "Cold", "New", "Read", "Warm, each anew", "Warm", "Requests/s", "Vendure"];
    let times = ["Cold", "New", "Read", "Anew", "Warm"].map(|of| format!("{of}: times less"));
    println!("|Operation|{}|{}|", columns.join("|"), times.join("|"));
    println!("|{}", "-|".repeat(1 + columns.len() + times.len()));
    for Row { name, first, cold, new, read, warm, anew, mark } in rows {
        let shown =
            |value: Option<f64>, digits| value.map_or("–".to_owned(), |value| format!("{value:.digits$}"));
        let costs = [cold.as_ref(), new.as_ref(), read.as_ref(), anew.as_ref(), Some(warm)];
        let [cold, new, read, anew, _] = costs.map(|cost| shown(cost.map(Cost::cpu_ms), 3));
        let times = costs.map(|cost| shown(cost.and_then(|cost| Some((*mark)? / cost.cpu_ms())), 0));
        println!(
            "|{name}|{:.2}|{cold}|{new}|{read}|{anew}|{:.3}|{:.0}|{}|{}|",
            first.cpu_ms(),
            warm.cpu_ms(),
            warm.rate(),
            shown(*mark, 0),
            times.join("|"),
        );
    }
    println!(
        "\nVendure 3.7.3 on SQLite, the lowest measured; text search on MariaDB, its SQLite search does less."
    );
}
