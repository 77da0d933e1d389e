//! The gateway as a process of its own, in front of eight subgraph processes.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::measure::{COLD, Pair};
use crate::process::Process;
use crate::world::{Asked, Query};

const SUBGRAPHS: [&str; 8] =
    ["users", "products", "cart", "orders", "payments", "inventory", "notifications", "search"];
const LENGTH: Duration = Duration::from_millis(2_500);

/// Measures and prints the CPU time of the gateway process.
pub async fn gateway(binary: &Path, data: &Path) -> anyhow::Result<()> {
    // A start as one process makes keys and data.
    drop(Process::start(binary, data, &[])?);
    let schemas = data.join("schemas");
    let made = Command::new(binary).args(["schema", "print", "--out"]).arg(&schemas).status()?;
    if !made.success() {
        bail!("the supergraph was not written");
    }
    let addresses = free_addresses()?;
    let urls: Vec<String> =
        SUBGRAPHS.iter().zip(&addresses).map(|(name, address)| format!("{name}=http://{address}")).collect();
    let mut subgraphs = Vec::new();
    for (name, address) in SUBGRAPHS.iter().zip(&addresses) {
        let mut arguments = words(&["subgraph", name, "--listen", address]);
        for (peer, url) in SUBGRAPHS.iter().zip(&urls) {
            if peer != name {
                arguments.extend(words(&["--peer", url]));
            }
        }
        subgraphs.push(Process::start(binary, data, &arguments)?);
    }
    let mut arguments = words(&["gateway", "--shop-keys", "--supergraph"]);
    arguments.push(schemas.join("supergraph.graphql").display().to_string());
    for url in &urls {
        arguments.extend(words(&["--subgraph", &format!("{url}/graphql")]));
    }
    let gateway = Process::start(binary, data, &arguments)?;
    let mut pair = Pair::open(&gateway).await?;
    let asked = Asked::read()?;
    println!(
        "\nThe gateway alone in front of eight subgraph processes: its own CPU milliseconds a request.\n"
    );
    println!("|Operation|Gateway|Subgraphs, all eight|Requests/s|");
    println!("|-|-|-|-|");
    for (name, query) in
        [("02 home", Query::Home), ("03 listing of 24", Query::Listing), ("05 product page", Query::Product)]
    {
        pair.once(&gateway, &asked.cold(query, COLD)).await?;
        let warm = asked.warm(query);
        pair.repeat(&gateway, &warm, LENGTH / 5).await?;
        let before = all(&subgraphs)?;
        let cost = pair.repeat(&gateway, &warm, LENGTH).await?;
        let behind = (all(&subgraphs)? - before).as_secs_f64() * 1_000.0 / cost.requests as f64;
        println!("|{name}|{:.3}|{behind:.3}|{:.0}|", cost.cpu_ms(), cost.rate());
    }
    Ok(())
}

fn all(processes: &[Process]) -> anyhow::Result<Duration> {
    processes.iter().map(Process::cpu).sum()
}

/// Addresses that were free a moment ago: the processes must know each other before they start.
fn free_addresses() -> anyhow::Result<Vec<String>> {
    let listeners: Vec<TcpListener> =
        SUBGRAPHS.iter().map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    Ok(listeners.iter().map(|one| one.local_addr().map(|at| at.to_string())).collect::<Result<_, _>>()?)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
