//! Eight subgraphs as processes whose events go by way of Kafka and workers: every flow passes, and what happens to
//! broker and workers costs no event.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use services::{Ground, Server, Service};

use crate::client::Client;
use crate::process::Process;
use crate::setups::{Processes, print_schemas, start_gateway, with_settings};
use crate::shopper::{Cart, Order};
use crate::stage::{Goods, Stage, eventually};
use crate::template::seeded_folder;
use crate::{flows, node};

/// A broker of our own, where one can be had.
fn broker(what: &str) -> anyhow::Result<Option<Server>> {
    match Service::Kafka.install() {
        Ok(()) => services::kafka::start(&Ground::temporary()?).map(Some),
        Err(why) => node::skipped(what, &why.to_string()).map(|()| None),
    }
}

/// The settings of all processes on a broker.
fn on(broker: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("TECHPOTLI_BUS_URL", format!("kafka://{}", broker.url())),
        ("TECHPOTLI_KAFKA_PARTITIONS", "3".to_owned()),
    ]
}

async fn start_worker(folder: &Path, settings: &[(&'static str, String)]) -> anyhow::Result<Process> {
    let mut command = with_settings(folder);
    command.envs(settings.iter().map(|(name, value)| (name, value))).arg("worker");
    Process::start(command).await
}

/// A gateway before eight subgraphs on a broker.
struct Shop {
    gateway: Process,
    subgraphs: Processes,
    stage: Arc<Stage>,
}

impl Shop {
    async fn start(folder: &Path, settings: &[(&'static str, String)]) -> anyhow::Result<Self> {
        let schemas = print_schemas()?;
        let subgraphs = Processes::start_with(folder, settings.to_vec()).await?;
        let gateway = start_gateway(folder, &schemas.path().join("supergraph.graphql"), &subgraphs).await?;
        let bases = subgraphs.running.iter().map(|(name, process)| (*name, process.base.clone()));
        let stage = Arc::new(Stage {
            guest: Client::guest(&gateway.base),
            data: folder.to_owned(),
            subgraphs: bases.collect(),
            goods: Arc::new(Goods::new()),
        });
        Ok(Self { gateway, subgraphs, stage })
    }

    fn faults(&self) -> Vec<String> {
        let of_subgraphs = self.subgraphs.running.iter().flat_map(|(name, process)| {
            process.faults().into_iter().map(move |fault| format!("{name}: {fault}"))
        });
        self.gateway
            .faults()
            .into_iter()
            .map(|fault| format!("gateway: {fault}"))
            .chain(of_subgraphs)
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_holds_in_eight_processes_with_two_workers_on_kafka() -> anyhow::Result<()> {
    let Some(broker) = broker("flows by way of Kafka")? else { return Ok(()) };
    let folder = seeded_folder()?;
    let settings = on(&broker);
    let shop = Shop::start(folder.path(), &settings).await?;
    let workers =
        [start_worker(folder.path(), &settings).await?, start_worker(folder.path(), &settings).await?];
    let flowed = flows::run("Kafka and workers", &shop.stage, flows::all()).await;
    let mut failures: Vec<String> = flowed.err().map(|failure| format!("{failure:#}")).into_iter().collect();
    failures.extend(shop.faults());
    let mut metrics = String::new();
    for worker in &workers {
        let answer = Client::guest(&worker.base).get("/ready", &[]).await?;
        ensure!(answer.status == 200, "the worker is not ready: {}", answer.text);
        metrics += &Client::guest(&worker.base).get("/metrics", &[]).await?.text;
    }
    for name in [
        "techpotli_outbox_depth",
        "techpotli_events_relayed_total",
        "techpotli_events_applied_total",
        "techpotli_consumer_lag",
    ] {
        ensure!(metrics.contains(name), "no {name} in the metrics: {metrics}");
    }
    for worker in workers {
        let faults = worker.terminate().await?;
        failures.extend(faults.into_iter().map(|fault| format!("worker: {fault}")));
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_go_on_while_broker_and_worker_are_dead_and_each_buyer_is_told_once() -> anyhow::Result<()> {
    let Some(broker) = broker("a shop without its broker")? else { return Ok(()) };
    let folder = seeded_folder()?;
    let settings = on(&broker);
    let shop = Shop::start(folder.path(), &settings).await?;
    let mut worker = Some(start_worker(folder.path(), &settings).await?);
    let mut bought = Vec::new();
    for round in 0..6 {
        match round {
            2 => broker.kill()?,
            // Killed in the midst of whatever it does without its broker.
            4 => {
                let killed = worker.take().context("it runs")?;
                let answer = Client::guest(&killed.base).get("/ready", &[]).await?;
                ensure!(answer.status == 503 && answer.text.contains("Kafka"), "ready: {}", answer.text);
            }
            _ => {}
        }
        let email = format!("{}@example.com", shop.stage.fresh("guest"));
        let cart = Cart::of_guest(&shop.stage, &email, &[(&shop.stage.good()?, 1)]).await?;
        bought.push(cart.buy(&shop.stage, &shop.stage.guest).await?);
    }
    let folder_of_mail = folder.path().join("notifications").join("mail");
    ensure!(told(&folder_of_mail, &bought[5])? == 0, "told without a broker");
    broker.start()?;
    let _another = start_worker(folder.path(), &settings).await?;
    for order in &bought {
        eventually("what each buyer is told", || async {
            Ok((told(&folder_of_mail, order)? > 0).then_some(()))
        })
        .await?;
    }
    for order in &bought {
        ensure!(
            told(&folder_of_mail, order)? == 1,
            "{} mails about {}",
            told(&folder_of_mail, order)?,
            order.number
        );
    }
    Ok(())
}

/// Mails that say that an order is confirmed.
fn told(folder: &Path, order: &Order) -> anyhow::Result<usize> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(0) };
    let subject = format!("Subject: Order {} is confirmed", order.number);
    let mut told = 0;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "eml") {
            told += usize::from(std::fs::read_to_string(path)?.contains(&subject));
        }
    }
    Ok(told)
}
