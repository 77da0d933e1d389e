//! `techpotli worker`: carries the events of subgraphs that run as processes of their own, and does their jobs.

use std::sync::Arc;
use std::time::Duration;

use auth::PassportSigner;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use common::Clock;
use messaging::Bus;
use runtime::{Tasks, server};
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use subgraph::{Peer, Peers, Ports, Subgraph};

use crate::assembly::{self, Shared};
use crate::cli::WorkerCommand;
use crate::rooms::{ROOMS, Room, room};
use crate::settings::Settings;

/// How long a batch under way may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs until a signal.
pub async fn run(settings: &Settings, command: &WorkerCommand) -> anyhow::Result<()> {
    let rooms: Vec<&Room> = match command.names.is_empty() {
        true => ROOMS.iter().collect(),
        false => command.names.iter().map(|name| room(name)).collect::<anyhow::Result<_>>()?,
    };
    let bus = settings.bus()?;
    if !bus.is_shared() {
        anyhow::bail!(
            "a worker has nothing to do on the bus in memory, where subgraphs deliver to each other: set TECHPOTLI_BUS_URL"
        );
    }
    let metrics = runtime::telemetry::metrics();
    let listener = server::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    settings.prepare_data_dir()?;
    let keys = settings.keys()?;
    let tasks = Tasks::new();
    // Nobody sends requests here, so there is nothing to drain.
    tasks.stop_on_signal(Duration::ZERO);
    let peers = Peers::new(PassportSigner::new(&keys.passport, Clock::system()));
    // What a subgraph begins for its own memory is for processes that serve it.
    let elsewhere = Tasks::never();
    let shared = Shared { settings, keys: &keys, bus: bus.clone(), peers: peers.clone(), tasks: &elsewhere };
    let ports = futures::future::try_join_all(rooms.iter().map(|room| shared.open(room))).await?;
    let built: Vec<Subgraph> = rooms.iter().zip(&ports).map(|(room, ports)| (room.build)(ports)).collect();
    for subgraph in &built {
        peers.know(subgraph.name, Peer::Local(subgraph.clone().into()));
    }
    // Better asked where they are served: what they remember is told at once.
    for (name, url) in &command.peers {
        peers.know(room(name)?.name, Peer::Remote(url.clone()));
    }
    for (subgraph, ports) in built.iter().zip(&ports) {
        assembly::relay(ports, &tasks);
        assembly::consume(subgraph, &bus, &tasks);
        subgraph.spread_news(ports, &tasks);
        subgraph.work(ports, &tasks);
    }
    let router = Router::new()
        .route("/health", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/ready", get(ready))
        .route("/metrics", get(move || async move { metrics.render() }))
        .with_state(Watched { ports: ports.into(), bus });
    server::serve("worker", listener, router, &tasks);
    let names: Vec<&str> = rooms.iter().map(|room| room.name).collect();
    println!("Working for {}: http://{address}/ready", names.join(", "));
    tasks.stopping().await;
    if !tasks.ended(PATIENCE).await {
        tracing::warn!("some events and jobs under way are left to other workers");
    }
    Ok(())
}

/// What must answer for a worker to work.
#[derive(Clone)]
struct Watched {
    ports: Arc<[Ports]>,
    bus: Bus,
}

async fn ready(State(watched): State<Watched>) -> Response {
    let mut missing = Vec::new();
    for ports in watched.ports.iter() {
        if ports.database.read().execute_unprepared("SELECT 1").await.is_err() {
            missing.push(format!("the database of {}", ports.name));
        }
    }
    if watched.bus.reach().await.is_err() {
        missing.push("Kafka".to_owned());
    }
    match missing.is_empty() {
        true => Json(json!({ "status": "ready" })).into_response(),
        false => {
            let status = format!("no answer from {}", missing.join(", "));
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": status }))).into_response()
        }
    }
}
