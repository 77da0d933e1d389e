//! The gateway as a process of its own, in front of eight subgraph processes.

use std::path::Path;
use std::time::Duration;

use crate::fleet::{Fleet, cpu};
use crate::measure::{COLD, Pair};
use crate::process::Process;
use crate::world::{Asked, Query};

const LENGTH: Duration = Duration::from_millis(2_500);

/// Measures and prints the CPU time of the gateway process.
pub async fn gateway(binary: &Path, data: &Path) -> anyhow::Result<()> {
    // A start as one process makes keys and data.
    drop(Process::start(binary, data, &[])?);
    let Fleet { gateway, subgraphs, workers: _ } = Fleet::start(binary, data, &[], 0)?;
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
        let before = cpu(&subgraphs)?;
        let cost = pair.repeat(&gateway, &warm, LENGTH).await?;
        let behind = (cpu(&subgraphs)? - before).as_secs_f64() * 1_000.0 / cost.requests as f64;
        println!("|{name}|{:.3}|{behind:.3}|{:.0}|", cost.cpu_ms(), cost.rate());
    }
    Ok(())
}
