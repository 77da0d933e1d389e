//! Eight subgraphs, gateway and workers as processes on MariaDB with a replica, a Redis cluster, Kafka, a search engine
//! and Keycloak.

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::engines::Engines;
use super::{Fleet, outages};
use crate::client::Client;
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

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_holds_on_real_engines_and_outages_cost_only_what_they_must() -> anyhow::Result<()> {
    let engines = match Engines::start().await? {
        Ok(engines) => engines,
        Err(why) => return node::skipped("every flow and outages on real engines", &why),
    };
    let folder = tempfile::tempdir()?;
    let settings = engines.settings();
    seed(folder.path(), &settings, &WORLD)?;
    engines.replicated()?;
    let mut fleet = Fleet::start(folder.path(), &settings, WORKERS).await?;
    engines.drained().await.context("after the start")?;
    // Until it has every product, the search engine is not asked.
    eventually("the index of products", || async {
        let answer = fleet.stage.guest.ask("{ search { totalCount } }", None, json!({})).await?.json()?;
        Ok(answer.get("extensions").is_none().then_some(()))
    })
    .await?;

    let flowed = flows::run("real engines", &fleet.stage, flows::all()).await;
    let faults = fleet.faults();
    if let Err(failure) = flowed {
        let (backlog, lag) = (engines.backlog()?, fleet.of_workers("techpotli_consumer_lag").await?);
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

    let site = Site::at(&engines.keycloak, &fleet.gateway.base, "kim@example.org").await?;
    outages::hold(&engines, &mut fleet, &site).await?;
    for worker in fleet.workers.drain(..) {
        worker.terminate().await?;
    }
    Ok(())
}
