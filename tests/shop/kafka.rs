//! Eight subgraphs as processes whose events go by way of Kafka and workers: what happens to broker and workers costs no
//! event, and what cannot be applied for a while is applied once later.

use std::path::Path;

use anyhow::{Context as _, ensure};
use database::Database;
use messaging::{Bus, BusUrl, Topics};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use services::{Ground, Server, Service};

use crate::client::Client;
use crate::dead_letters;
use crate::node;
use crate::setups::{Fleet, start_worker};
use crate::shopper::{Cart, Order};
use crate::stage::eventually;
use crate::template::seeded_folder;

/// A broker of our own, where one can be had.
pub fn broker(what: &str) -> anyhow::Result<Option<Server>> {
    match Service::Kafka.install() {
        Ok(()) => services::kafka::start(&Ground::temporary()?).map(Some),
        Err(why) => node::skipped(what, &why.to_string()).map(|()| None),
    }
}

/// The settings of all processes on a broker.
pub fn on(broker: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("TECHPOTLI_BUS_URL", format!("kafka://{}", broker.url())),
        ("TECHPOTLI_KAFKA_PARTITIONS", "3".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_go_on_while_broker_and_worker_are_dead_and_each_buyer_is_told_once() -> anyhow::Result<()> {
    let Some(broker) = broker("a shop without its broker")? else { return Ok(()) };
    let folder = seeded_folder()?;
    let settings = on(&broker);
    let mut shop = Fleet::start(folder.path(), &settings, 1).await?;
    let search = format!("sqlite:{}", folder.path().join("search.sqlite").display());
    let search = Database::connect(&search).await?;
    let counted_before = counted(&search).await?;
    let mut bought = Vec::new();
    for round in 0..6 {
        match round {
            2 => broker.kill()?,
            // Killed in the midst of whatever it does without its broker.
            4 => {
                let killed = shop.workers.pop().context("it runs")?;
                let answer = Client::guest(&killed.base).get("/ready", &[]).await?;
                ensure!(answer.status == 503 && answer.text.contains("Kafka"), "ready: {}", answer.text);
            }
            _ => {}
        }
        let email = format!("{}@example.com", shop.stage.fresh("guest"));
        let cart = Cart::of_guest(&shop.stage, &email, &[(&shop.stage.good()?, 1)]).await?;
        bought.push(cart.buy(&shop.stage, &shop.stage.guest).await?);
    }
    // Who registers now is not known to carts until Kafka is back.
    let user = shop.stage.user().await?;
    let cart = Cart::of_user(&shop.stage, &user, &[(&shop.stage.good()?, 1)]).await?;
    bought.push(cart.buy(&shop.stage, &user.client).await?);
    let folder_of_mail = folder.path().join("notifications").join("mail");
    ensure!(told(&folder_of_mail, &bought[6])? == 0, "told without a broker");
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
    let all = counted_before + i64::try_from(bought.len())?;
    eventually("search's count of all", || async { Ok((counted(&search).await? == all).then_some(())) })
        .await?;
    let topics = Topics { prefix: "techpotli".to_owned(), partitions: 3, replication: 1 };
    let bus = Bus::open(&BusUrl::Kafka(broker.url().to_owned()), &topics)?;
    dead_letters::hold_over_kafka(&shop, &settings, &bus).await
}

/// How many orders search has counted.
async fn counted(search: &Database) -> anyhow::Result<i64> {
    let statement =
        Statement::from_string(DbBackend::Sqlite, "SELECT SUM(orders) AS orders FROM sales_point");
    let row = search.newest().query_one_raw(statement).await?.context("a sum is there")?;
    Ok(row.try_get("", "orders")?)
}

/// Mails that say that an order is confirmed.
pub fn told(folder: &Path, order: &Order) -> anyhow::Result<usize> {
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
