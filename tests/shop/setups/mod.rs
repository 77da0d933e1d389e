//! The set-ups, and that every flow passes in each.

mod cached;
mod embedded;
mod oracle;
mod outages;
mod processes;
mod real;
mod remembered;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Process, binary, free_ports, run};
use crate::stage::{Goods, Stage};
use crate::template::seeded_folder;

/// All of them.
pub const SUBGRAPHS: [&str; 8] =
    ["users", "products", "cart", "orders", "payments", "inventory", "notifications", "search"];

/// A shop in one process on a data folder, for this and other tests.
pub struct OneProcess {
    pub process: Process,
    pub folder: TempDir,
}

impl OneProcess {
    /// Starts it on a copy of the seeded folder.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = seeded_folder()?;
        let process = Process::start(with_settings(folder.path())).await?;
        Ok(Self { process, folder })
    }

    /// Where flows play.
    pub fn stage(&self) -> Arc<Stage> {
        Arc::new(Stage {
            guest: Client::guest(&self.process.base),
            data: self.folder.path().to_owned(),
            subgraphs: Vec::new(),
            goods: Arc::new(Goods::new()),
        })
    }
}

/// The binary on a folder, without limits that tests would run into.
pub fn with_settings(folder: &Path) -> Command {
    let mut command = binary(folder);
    command
        .env("TECHPOTLI_LISTEN", "127.0.0.1:0")
        .env("TECHPOTLI_DATA_DIR", folder)
        .env("TECHPOTLI_SEED", "none")
        .env("TECHPOTLI_RATE_USER", "0")
        .env("TECHPOTLI_DEADLINE_MS", "60000");
    command
}

pub fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a name that is text")
}

/// The schemas as the binary prints them, in a folder.
pub fn print_schemas() -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let printed = run(folder.path(), &["schema", "print", "--out", text(folder.path())?])?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    Ok(folder)
}

/// Eight subgraphs on one data folder, each a process.
pub struct Processes {
    folder: PathBuf,
    settings: Vec<(&'static str, String)>,
    ports: Vec<(&'static str, u16)>,
    pub running: Vec<(&'static str, Process)>,
}

impl Processes {
    /// Starts all of them.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, Vec::new()).await
    }

    /// Starts all of them with settings beside the usual ones.
    pub async fn start_with(folder: &Path, settings: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        let ports = SUBGRAPHS.into_iter().zip(free_ports(SUBGRAPHS.len())?).collect();
        let mut processes = Self { folder: folder.to_owned(), settings, ports, running: Vec::new() };
        let starting = SUBGRAPHS.map(|name| {
            let command = processes.command(name);
            async move { anyhow::Ok((name, Process::start(command).await?)) }
        });
        processes.running = try_join_all(starting).await?;
        Ok(processes)
    }

    /// What no test may cause, see [`Process::faults`].
    pub fn faults(&self) -> Vec<String> {
        let faults = self.running.iter().flat_map(|(name, process)| {
            process.faults().into_iter().map(move |fault| format!("{name}: {fault}"))
        });
        faults.collect()
    }

    /// Where one serves.
    pub fn base(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.running.iter().find(|(running, _)| *running == name);
        found.map(|(_, process)| process.base.as_str()).with_context(|| format!("{name} does not run"))
    }

    /// Ends one, without a warning.
    pub fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let place = self.running.iter().position(|(running, _)| *running == name);
        drop(self.running.swap_remove(place.with_context(|| format!("{name} does not run"))?));
        Ok(())
    }

    /// Starts one that has ended, where it was before.
    pub async fn start_again(&mut self, name: &'static str) -> anyhow::Result<()> {
        self.running.push((name, Process::start(self.command(name)).await?));
        Ok(())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = with_settings(&self.folder);
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).args(["subgraph", name]);
        for (peer, port) in &self.ports {
            match *peer == name {
                true => command.args(["--listen", &format!("127.0.0.1:{port}")]),
                false => command.args(["--peer", &format!("{peer}=http://127.0.0.1:{port}")]),
            };
        }
        command
    }
}

/// A gateway before these subgraphs.
pub async fn start_gateway(
    folder: &Path,
    supergraph: &Path,
    subgraphs: &Processes,
) -> anyhow::Result<Process> {
    start_gateway_with(folder, supergraph, subgraphs, &[]).await
}

/// A gateway before these subgraphs, with these variables.
pub async fn start_gateway_with(
    folder: &Path,
    supergraph: &Path,
    subgraphs: &Processes,
    environment: &[(&str, &str)],
) -> anyhow::Result<Process> {
    start_gateway_at(folder, text(supergraph)?, subgraphs, environment).await
}

/// A gateway before these subgraphs, over a supergraph that is at a file or a URL.
pub async fn start_gateway_at(
    folder: &Path,
    supergraph: &str,
    subgraphs: &Processes,
    environment: &[(&str, &str)],
) -> anyhow::Result<Process> {
    let mut command = with_settings(folder);
    command.envs(environment.iter().copied());
    command.args(["gateway", "--shop-keys", "--supergraph", supergraph]);
    for (name, process) in &subgraphs.running {
        command.args(["--subgraph", &format!("{name}={}/graphql", process.base)]);
    }
    Process::start(command).await
}

/// A worker on these subgraphs' databases.
pub async fn start_worker(folder: &Path, settings: &[(&'static str, String)]) -> anyhow::Result<Process> {
    let mut command = with_settings(folder);
    command.envs(settings.iter().map(|(name, value)| (name, value))).arg("worker");
    Process::start(command).await
}

/// A gateway before eight subgraphs, and workers behind them.
pub struct Fleet {
    pub gateway: Process,
    pub subgraphs: Processes,
    pub workers: Vec<Process>,
    pub stage: Arc<Stage>,
}

impl Fleet {
    /// Starts all of it on a data folder, with these settings for every process.
    pub async fn start(
        folder: &Path,
        settings: &[(&'static str, String)],
        workers: usize,
    ) -> anyhow::Result<Self> {
        let schemas = print_schemas()?;
        let subgraphs = Processes::start_with(folder, settings.to_vec()).await?;
        let supergraph = schemas.path().join("supergraph.graphql");
        let of_gateway: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let gateway = start_gateway_with(folder, &supergraph, &subgraphs, &of_gateway).await?;
        let workers = try_join_all((0..workers).map(|_| start_worker(folder, settings))).await?;
        let bases = subgraphs.running.iter().map(|(name, process)| (*name, process.base.clone()));
        let stage = Arc::new(Stage {
            guest: Client::guest(&gateway.base),
            data: folder.to_owned(),
            subgraphs: bases.collect(),
            goods: Arc::new(Goods::new()),
        });
        Ok(Self { gateway, subgraphs, workers, stage })
    }

    /// What no test may cause, see [`Process::faults`].
    pub fn faults(&self) -> Vec<String> {
        let named = |name: &str, process: &Process| -> Vec<String> {
            process.faults().into_iter().map(|fault| format!("{name}: {fault}")).collect()
        };
        let workers = self.workers.iter().flat_map(|worker| named("worker", worker));
        named("gateway", &self.gateway).into_iter().chain(self.subgraphs.faults()).chain(workers).collect()
    }

    /// The series of this name that are not zero, of all workers.
    pub async fn of_workers(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        for worker in &self.workers {
            let text = Client::guest(&worker.base).get("/metrics", &[]).await?.text;
            let series = text.lines().filter(|line| line.starts_with(name) && !line.ends_with(" 0"));
            found.extend(series.map(str::to_owned));
        }
        Ok(found)
    }
}
