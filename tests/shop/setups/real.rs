//! Eight subgraphs, gateway and workers as processes on MariaDB with a replica, a Redis cluster, Kafka, a search engine
//! and Keycloak.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::json;
use services::{Engines, Ground};
use tokio::task::spawn_blocking;

use super::oracle::Oracle;
use super::{Fleet, cached, outages};
use crate::client::Client;
use crate::keycloak::Keycloak;
use crate::login::Site;
use crate::stage::eventually;
use crate::template::{WORLD, seed};
use crate::{flows, node};

const WORKERS: usize = 2;
/// What workers tell of events.
const METRICS: [&str; 4] = [
    "techpotli_outbox_depth",
    "techpotli_events_relayed_total",
    "techpotli_events_applied_total",
    "techpotli_consumer_lag",
];

/// Starts all engines; `Err` within says why one cannot be had.
async fn started() -> anyhow::Result<Result<Engines, String>> {
    spawn_blocking(|| match Engines::install() {
        Ok(()) => Engines::start(&Ground::temporary()?).map(Ok),
        Err(missing) => Ok(Err(missing.to_string())),
    })
    .await?
}

/// Limits that count in Redis and that no flow runs into, and time for a machine that does much else.
fn without_hurry() -> Vec<(&'static str, String)> {
    let often = "1000000";
    [
        ("TECHPOTLI_RATE_USER", often),
        ("TECHPOTLI_RATE_ADDRESS", often),
        ("TECHPOTLI_RATE_FIELDS", "sessionCreate=1000000"),
        ("TECHPOTLI_REDIS_TIMEOUT_MS", "500"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_holds_on_real_engines_and_outages_cost_only_what_they_must() -> anyhow::Result<()> {
    let engines = match started().await? {
        Ok(engines) => engines,
        Err(why) => return node::skipped("every flow and outages on real engines", &why),
    };
    let folder = tempfile::tempdir()?;
    let settings = [engines.settings(), without_hurry()].concat();
    seed(folder.path(), &settings, &WORLD)?;
    engines.replicated()?;
    let mut fleet = Fleet::start(folder.path(), &settings, WORKERS).await?;
    Oracle(&engines).drained().await.context("after the start")?;
    // Until it has every product, the search engine is not asked.
    eventually("the index of products", || async {
        let answer = fleet.stage.guest.ask("{ search { totalCount } }", None, json!({})).await?.json()?;
        Ok(answer.get("extensions").is_none().then_some(()))
    })
    .await?;

    let flowed = flows::run("real engines", &fleet.stage, flows::all()).await;
    let faults = fleet.faults();
    if let Err(failure) = flowed {
        let (backlog, lag) = (Oracle(&engines).backlog()?, fleet.of_workers("techpotli_consumer_lag").await?);
        return Err(
            failure.context(format!("backlog: {backlog:#?}, lag: {lag:#?}, faults in the log: {faults:#?}"))
        );
    }
    ensure!(faults.is_empty(), "faults in the log: {faults:#?}");
    let mut metrics = String::new();
    for worker in &fleet.workers {
        let worker = Client::guest(&worker.base);
        let answer = worker.get("/ready", &[]).await?;
        ensure!(answer.status == 200, "the worker is not ready: {}", answer.text);
        metrics += &worker.get("/metrics", &[]).await?.text;
    }
    for name in METRICS {
        ensure!(metrics.contains(name), "no {name} in the metrics: {metrics}");
    }

    // What the flows have changed is in the index by then.
    Oracle(&engines).drained().await?;
    cached::most_questions_are_answered(&fleet).await?;

    let keycloak = Keycloak::of(Arc::clone(&engines.keycloak));
    let site = Site::at(&keycloak, &fleet.gateway.base, "kim@example.org").await?;
    outages::hold(&engines, &mut fleet, &site).await?;
    for worker in fleet.workers.drain(..) {
        worker.terminate().await?;
    }
    Ok(())
}
