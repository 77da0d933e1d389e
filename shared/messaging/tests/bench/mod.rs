//! A publisher and a consumer with databases of their own: what is published is counted up per aggregate, what is
//! applied is a row each, so that losses, repetitions and wrong order show.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use common::{Clock, Fault, Ids};
use database::{Change, Database, ScopedFutureExt as _, Step, Tx, column, table};
use events::Event;
use messaging::{Bus, BusUrl, Consumer, Envelope, Receiver, Topics};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An event: the next number of its aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub aggregate: String,
    pub number: i64,
}

impl Event for Counted {
    const TOPIC: &'static str = "counting";

    fn key(&self) -> String {
        self.aggregate.clone()
    }
}

/// An event that was applied, in the order of application.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fact")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub aggregate: String,
    pub number: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn facts() -> Vec<Step> {
    vec![Step {
        name: "t0001_fact",
        change: || {
            Change::table(
                table(Entity)
                    .col(column(Column::Seq).big_integer().not_null().auto_increment().primary_key())
                    .col(column(Column::Aggregate).string_len(64).not_null())
                    .col(column(Column::Number).big_integer().not_null()),
            )
        },
    }]
}

/// Opens the database called `name` in a folder, or on the server of `TECHPOTLI_TEST_MYSQL`.
pub async fn database(folder: &Path, name: &str) -> anyhow::Result<Database> {
    let url = match std::env::var("TECHPOTLI_TEST_MYSQL") {
        Ok(server) => {
            let own = folder.file_name().and_then(|name| name.to_str()).context("the folder has a name")?;
            let own: String = own.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("{}/{own}_{name}", server.trim_end_matches('/'))
        }
        Err(_) => format!("sqlite:{}", folder.join(format!("{name}.sqlite")).display()),
    };
    let database = Database::connect(&url).await?;
    database::migrate(&database, vec![messaging::migrations, facts]).await.map_err(told)?;
    Ok(database)
}

/// A fault with its causes.
pub fn told(fault: Fault) -> anyhow::Error {
    anyhow::anyhow!("{}", fault.chain())
}

/// The bus of a broker.
pub fn bus(broker: &str) -> anyhow::Result<Bus> {
    let topics = Topics { prefix: "bench".into(), partitions: 4, replication: 1 };
    Ok(Bus::open(&BusUrl::Kafka(broker.to_owned()), &topics)?)
}

/// Writes the next `count` events of each aggregate into the outbox, those of one number in one transaction.
pub async fn write(
    database: &Database,
    aggregates: usize,
    numbers: std::ops::Range<i64>,
) -> anyhow::Result<()> {
    let (clock, ids) = (Clock::system(), Ids::random(Clock::system()));
    for number in numbers {
        let (clock, ids) = (&clock, &ids);
        database
            .transaction(|tx| {
                async move {
                    for aggregate in 0..aggregates {
                        let event = Counted { aggregate: format!("a{aggregate}"), number };
                        messaging::append(database, tx, clock, ids, &event).await?;
                    }
                    Ok::<_, Fault>(())
                }
                .scope_boxed()
            })
            .await
            .map_err(told)?;
    }
    Ok(())
}

/// Writes down each event as a fact.
pub fn consumer() -> Consumer {
    Consumer::new(&[Counted::TOPIC], |tx, envelope| Box::pin(note(tx, envelope)))
}

/// Writes down one event as a fact.
pub async fn note(tx: &Tx, envelope: &Envelope) -> Result<(), Fault> {
    let event: Counted = envelope.open()?;
    let row = ActiveModel { seq: NotSet, aggregate: Set(event.aggregate), number: Set(event.number) };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The subgraph that listens.
pub fn receiver(database: &Database, consumer: Consumer) -> Receiver {
    Receiver::new("listening", database.clone(), Clock::system(), consumer)
}

/// How many events were applied.
pub async fn applied(database: &Database) -> anyhow::Result<u64> {
    Ok(sea_orm::PaginatorTrait::count(Entity::find(), database.schema()).await?)
}

/// The numbers that were applied of each aggregate, in order.
pub async fn by_aggregate(database: &Database) -> anyhow::Result<BTreeMap<String, Vec<i64>>> {
    let mut facts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for fact in Entity::find().order_by_asc(Column::Seq).all(database.schema()).await? {
        facts.entry(fact.aggregate).or_default().push(fact.number);
    }
    Ok(facts)
}

/// Every number up to `count` once and in order, for each of the aggregates.
pub fn check(facts: &BTreeMap<String, Vec<i64>>, aggregates: usize, count: i64) -> anyhow::Result<()> {
    ensure!(facts.len() == aggregates, "{} aggregates of {aggregates}", facts.len());
    let wanted: Vec<i64> = (0..count).collect();
    for (aggregate, numbers) in facts {
        ensure!(*numbers == wanted, "{aggregate}: {numbers:?}");
    }
    Ok(())
}

/// What could not be applied.
pub async fn dead_letters(database: &Database) -> anyhow::Result<Vec<messaging::DeadLetter>> {
    messaging::dead_letters(database, None, 100).await.map_err(told)
}
