//! An OpenTelemetry collector that writes down every span it is sent.

use std::path::PathBuf;

use anyhow::Result;

use crate::ground::{Ground, Port};
use crate::install::python;
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

/// A collector.
#[derive(Debug)]
pub struct Collector {
    /// The process. Its URL takes OTLP over gRPC.
    pub server: Server,
    http: Port,
}

/// Fetches what is missing.
pub fn install() -> Result<()> {
    environment().map(drop)
}

/// One collector.
pub fn start(ground: &Ground) -> Result<Collector> {
    let agent = python::file(&environment()?, "rotel/rotel-agent")?;
    let room = ground.room("collector")?;
    let (grpc, http) = (Port::free()?, Port::free()?);
    let launch = Launch::new(agent, &room)
        .arguments(["start", "--exporter", "blackhole"])
        .arguments(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
        .arguments(["--otlp-grpc-endpoint", &grpc.address(), "--otlp-http-endpoint", &http.address()])
        .arguments(["--pid-file", "pid", "--log-file", "agent-log"]);
    let url = format!("http://{}", grpc.address());
    let parts = Parts { name: "Collector", url, port: grpc, launch, room, ready: Ready::Open };
    Ok(Collector { server: Server::started(ground, parts)?, http })
}

impl Collector {
    /// Takes OTLP over HTTP, protobuf or JSON, below `/v1/traces`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http.address())
    }

    /// The file with the spans: name, ids, times and attributes, a line each.
    pub fn log(&self) -> PathBuf {
        self.server.log()
    }

    /// The process alone, with both ports.
    pub(crate) fn into_server(self) -> Server {
        self.server.holding([self.http])
    }

    /// The spans so far.
    pub fn traces(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.log())?)
    }
}

fn environment() -> Result<PathBuf> {
    python::environment("rotel", "0.0.1a15")
}
