//! Redis: one server, and a cluster of three masters.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::ground::{Ground, Port};
use crate::install::debian;
use crate::process::{LOOK, Launch};
use crate::server::{Parts, Ready, Server};

const SLOTS: &str = "16384";

/// Fetches what is missing.
pub fn install() -> Result<()> {
    debian::program("redis-server", &["redis-server"])?;
    debian::program("redis-cli", &["redis-tools"]).map(drop)
}

/// One server. Its append-only file is written before each answer, so a kill loses nothing that was answered.
pub fn start(ground: &Ground) -> Result<Server> {
    let port = Port::free()?;
    node(ground, "redis", port, &[])
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct Cluster {
    /// One process each.
    pub nodes: Vec<Server>,
    client: PathBuf,
}

/// Starts a cluster, or the one that the folder holds from before.
pub fn cluster(ground: &Ground) -> Result<Cluster> {
    install()?;
    let client = debian::program("redis-cli", &["redis-tools"])?;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let (port, bus) = (Port::free()?, Port::free()?);
        let number = bus.number().to_string();
        let flags = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &number];
        nodes.push(node(ground, "redis-cluster", port, &flags)?.holding([bus]));
    }
    let cluster = Cluster { nodes, client };
    if cluster.ask(0, &["cluster", "info"])?.contains("cluster_slots_assigned:0") {
        cluster.join()?;
    } else {
        cluster.meet()?;
    }
    cluster.agree()?;
    Ok(cluster)
}

impl Cluster {
    /// The nodes' URLs with commas between.
    pub fn urls(&self) -> String {
        self.nodes.iter().map(Server::url).collect::<Vec<_>>().join(",")
    }

    /// A command to one node by redis-cli.
    pub fn ask(&self, node: usize, command: &[&str]) -> Result<String> {
        let port = self.nodes.get(node).context("there is no such node")?.port().to_string();
        self.client(&[&["-p", &port], command].concat())
    }

    fn join(&self) -> Result<()> {
        let addresses: Vec<String> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        let mut arguments = vec!["--cluster", "create"];
        arguments.extend(addresses.iter().map(String::as_str));
        arguments.push("--cluster-yes");
        self.client(&arguments).map(drop)
    }

    /// Nodes of a kept folder listen on other ports now: each is told of the others.
    fn meet(&self) -> Result<()> {
        for (index, node) in self.nodes.iter().enumerate() {
            let bus = node.more_ports().next().context("a cluster node has a bus port")?;
            let (port, bus) = (node.port().to_string(), bus.number().to_string());
            for other in (0..self.nodes.len()).filter(|other| *other != index) {
                self.ask(other, &["cluster", "meet", "127.0.0.1", &port, &bus])?;
            }
        }
        Ok(())
    }

    /// Waits until every node knows of every slot and can serve its own.
    pub fn agree(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let whole = ["cluster_state:ok".to_owned(), format!("cluster_slots_ok:{SLOTS}")];
        loop {
            let mut states = Vec::new();
            for node in 0..self.nodes.len() {
                states.push(self.ask(node, &["cluster", "info"])?);
            }
            if states.iter().all(|state| whole.iter().all(|line| state.contains(line))) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the nodes of the Redis cluster do not agree:\n{}", states.join("\n"));
            }
            std::thread::sleep(LOOK);
        }
    }

    fn client(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.client).args(["-h", "127.0.0.1"]).args(arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("redis-cli {}: {text}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(text)
    }
}

fn node(ground: &Ground, kind: &str, port: Port, flags: &[&str]) -> Result<Server> {
    let program = debian::program("redis-server", &["redis-server"])?;
    let room = ground.room(kind)?;
    let launch = Launch::new(program, &room)
        .arguments(["--bind", "127.0.0.1", "--port", &port.number().to_string()])
        .arguments(["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"])
        .arguments(flags);
    let url = format!("redis://{}", port.address());
    let parts =
        Parts { name: "Redis", url, port, launch, room, ready: Ready::Log("Ready to accept connections") };
    Server::started(ground, parts)
}
