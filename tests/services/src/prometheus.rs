//! Prometheus, with a configuration of the caller's.

use std::path::Path;

use anyhow::{Context, Result};

use crate::ground::{Ground, Port};
use crate::install::debian;
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

/// Fetches what is missing.
pub fn install() -> Result<()> {
    debian::program("prometheus", &["prometheus"]).map(drop)
}

/// One server. Without a configuration it watches itself.
pub fn start(ground: &Ground, configuration: Option<&Path>) -> Result<Server> {
    let program = debian::program("prometheus", &["prometheus"])?;
    let room = ground.room("prometheus")?;
    let port = Port::free()?;
    let configuration = match configuration {
        Some(file) => {
            // Rule files stand beside it: it is read where it is.
            file.canonicalize().with_context(|| format!("cannot read {}", file.display()))?
        }
        None => {
            let own = room.join("prometheus.yml");
            let text = format!(
                "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: prometheus, static_configs: [{{targets: ['{}']}}]}}]\n",
                port.address()
            );
            std::fs::write(&own, text)?;
            own
        }
    };
    let launch = Launch::new(program, &room)
        .argument(format!("--config.file={}", configuration.display()))
        .argument(format!("--storage.tsdb.path={}", room.join("data").display()))
        .argument(format!("--web.listen-address={}", port.address()))
        .arguments(["--web.enable-lifecycle", "--storage.tsdb.retention.time=1d"]);
    let url = format!("http://{}", port.address());
    let ready = Ready::Log("Server is ready to receive web requests");
    Server::started(ground, Parts { name: "Prometheus", url, port, launch, room, ready })
}
