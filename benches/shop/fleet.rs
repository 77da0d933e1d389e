//! A gateway, eight subgraphs and workers, each a process.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::process::Process;

const SUBGRAPHS: [&str; 8] =
    ["users", "products", "cart", "orders", "payments", "inventory", "notifications", "search"];

/// All of them.
pub struct Fleet {
    pub gateway: Process,
    pub subgraphs: Vec<Process>,
    pub workers: Vec<Process>,
}

/// What every process is told beside the usual.
pub type Settings = [(&'static str, String)];

impl Fleet {
    /// Starts them on a data folder that has keys, and databases that are filled.
    pub fn start(binary: &Path, data: &Path, settings: &Settings, workers: usize) -> anyhow::Result<Self> {
        let schemas = data.join("schemas");
        let made = Command::new(binary).args(["schema", "print", "--out"]).arg(&schemas).status()?;
        if !made.success() {
            bail!("the supergraph was not written");
        }
        let addresses = free_addresses()?;
        let urls: Vec<String> = SUBGRAPHS
            .iter()
            .zip(&addresses)
            .map(|(name, address)| format!("{name}=http://{address}"))
            .collect();
        let mut subgraphs = Vec::new();
        for (name, address) in SUBGRAPHS.iter().zip(&addresses) {
            let mut arguments = words(&["subgraph", name, "--listen", address]);
            for (peer, url) in SUBGRAPHS.iter().zip(&urls) {
                if peer != name {
                    arguments.extend(words(&["--peer", url]));
                }
            }
            subgraphs.push(Process::start_with(binary, data, &arguments, settings)?);
        }
        let mut arguments = words(&["gateway", "--shop-keys", "--supergraph"]);
        arguments.push(schemas.join("supergraph.graphql").display().to_string());
        for url in &urls {
            arguments.extend(words(&["--subgraph", &format!("{url}/graphql")]));
        }
        let gateway = Process::start_with(binary, data, &arguments, settings)?;
        let workers = (0..workers).map(|_| Process::start_with(binary, data, &words(&["worker"]), settings));
        Ok(Self { gateway, subgraphs, workers: workers.collect::<anyhow::Result<_>>()? })
    }
}

/// The CPU time of all.
pub fn cpu(processes: &[Process]) -> anyhow::Result<Duration> {
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
