//! `techpotli events`: what could not be applied is listed by pages, applied once, or dropped. `kafka` has this of a shop
//! whose events go over Kafka.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use common::id::EventId;
use common::{Clock, Fault, Ids, Timestamp};
use database::Database;
use events::Event as _;
use events::inventory::InventoryEvent;
use messaging::{Bus, Consumer, DeadLetter, Envelope, Receiver};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use tokio::task::spawn_blocking;

use crate::process::{binary, run};
use crate::setups::{Fleet, text};
use crate::shopper::Cart;
use crate::stage::{Good, eventually};
use crate::template::{WORLD, seeded_folder};

/// Units of each order that search cannot count.
const UNITS: i64 = 2;
/// What keeps search from counting what is sold, as a defect would, and its end.
const BREAK: &str = "CREATE TRIGGER broken BEFORE INSERT ON sales_point \
    BEGIN SELECT RAISE(ABORT, 'nothing can be counted'); END";
const MEND: &str = "DROP TRIGGER broken";

/// Runs `techpotli events …` on a folder; what it prints, and whether it succeeded.
fn events(folder: &Path, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
    events_with(folder, &[], arguments)
}

fn events_with(
    folder: &Path,
    settings: &[(&'static str, String)],
    arguments: &[&str],
) -> anyhow::Result<(String, bool)> {
    let mut command = binary(folder);
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    let output = command.arg("events").args(arguments).args(["--data-dir", text(folder)?]).output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((String::from_utf8_lossy(&said).into_owned(), output.status.success()))
}

/// Buries events in the database of search: stock of a seeded product, and what is no event.
async fn bury(folder: &Path) -> anyhow::Result<(EventId, EventId, Timestamp)> {
    let database = Database::connect(&format!("sqlite:{}", folder.join("search.sqlite").display())).await?;
    let (clock, ids) = (Clock::system(), Ids::counted());
    let consumer = Consumer::new(&[], |_, _| Box::pin(async { Ok(()) }));
    let receiver = Receiver::new("search", database, clock.clone(), consumer);
    let product = WORLD.product(30);
    let stock = InventoryEvent {
        variant: product.variants.first().context("a variant")?.id,
        product: product.id,
        available: true,
        quantity: 77,
        as_of: clock.now(),
    };
    let envelope = |payload: String| Envelope {
        id: ids.next(),
        topic: InventoryEvent::TOPIC.to_owned(),
        key: stock.key(),
        at: clock.now(),
        payload,
        cause: Default::default(),
    };
    let (good, bad) = (envelope(serde_json::to_string(&stock)?), envelope("{}".to_owned()));
    for (event, reason) in [(&good, "the table was locked\nfor long"), (&bad, "missing field `variant`")] {
        let buried = receiver.bury(event, reason, "techpotli.inventory/2@41".to_owned()).await;
        buried.map_err(told)?;
    }
    Ok((good.id, bad.id, stock.as_of))
}

/// How many variants search knows the stock of as it was then.
async fn known(folder: &Path, as_of: Timestamp) -> anyhow::Result<usize> {
    let database = Database::connect(&format!("sqlite:{}", folder.join("search.sqlite").display())).await?;
    let statement = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Sqlite,
        format!("SELECT variant_id FROM stock WHERE as_of = {}", as_of.0),
    );
    Ok(database.read().query_all_raw(statement).await?.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_replayed_once_and_dropped() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let folder = folder.path();
    let (said, good) = events(folder, &["list"])?;
    ensure!(good && said == "There are no dead letters.\n", "{said}");

    let (stock, broken, as_of) = bury(folder).await?;
    let (said, _) = events(folder, &["list"])?;
    let lines: Vec<&str> = said.lines().collect();
    ensure!(lines.len() == 3, "{said}");
    ensure!(lines[0].starts_with("SUBGRAPH  EVENT"), "{said}");
    ensure!(
        lines[1].contains(&stock.to_string()) && lines[1].ends_with("the table was locked for long"),
        "{said}"
    );
    ensure!(
        lines[2].contains(&broken.to_string()) && lines[2].contains("techpotli.inventory/2@41"),
        "{said}"
    );
    let (said, _) = events(folder, &["list", "--limit", "1", "--subgraph", "search"])?;
    let next = said.trim().lines().last().and_then(|line| line.strip_prefix("There are more: --after "));
    let (said, _) = events(folder, &["list", "--after", next.context("there are more")?])?;
    ensure!(said.contains(&broken.to_string()) && !said.contains(&stock.to_string()), "{said}");
    ensure!(!said.contains("There are more"), "{said}");

    ensure!(known(folder, as_of).await? == 0, "the stock is there before it is replayed");
    let (said, good) = events(folder, &["replay", "--all"])?;
    ensure!(!good, "what is broken does not replay: {said}");
    ensure!(said.contains(&format!("{stock} is applied in search.")), "{said}");
    ensure!(said.contains(&format!("{broken} fails again in search: ")), "{said}");
    ensure!(said.contains("1 applied, 1 stay dead letters."), "{said}");
    ensure!(known(folder, as_of).await? == 1, "the stock is not there after it was replayed");
    let (said, good) = events(folder, &["replay", &stock.to_string()])?;
    ensure!(!good && said.contains("is no dead letter"), "{said}");

    let (said, good) = events(folder, &["drop", &broken.to_string(), "--subgraph", "search"])?;
    ensure!(good && said == "1 dead letter is dropped for good.\n", "{said}");
    let (said, _) = events(folder, &["list"])?;
    ensure!(said == "There are no dead letters.\n", "{said}");
    Ok(())
}

#[test]
fn what_is_asked_in_vain_is_refused_in_a_sentence() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let migrated = run(folder.path(), &["migrate", "--data-dir", text(folder.path())?])?;
    ensure!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let id = Ids::counted().next::<common::id::Event>().to_string();
    for (arguments, words) in [
        (&["list", "--subgraph", "payments"][..], "payments listens to no events"),
        (&["list", "--subgraph", "nobody"], "there is no subgraph 'nobody'"),
        (&["list", "--after", "here"], "--after must look like SUBGRAPH/EVENT"),
        (&["drop"], "say which events by their ids, or --all"),
        (&["drop", &id], "is no dead letter"),
        (&["replay", "prod_1"], "'prod_1' is not an id of the form"),
    ] {
        let (said, good) = events(folder.path(), arguments)?;
        ensure!(!good && said.contains(words), "{arguments:?}: {said}");
    }
    Ok(())
}

/// A shop whose events go by way of Kafka, where search cannot count what is sold for a while. Counting is what twice
/// would show.
struct Uncounted<'s> {
    shop: &'s Fleet,
    folder: PathBuf,
    settings: Vec<(&'static str, String)>,
    search: Database,
    good: Good,
}

/// What came over Kafka and could not be applied is listed, replayed once by whoever asks, and dropped.
pub async fn hold_over_kafka(
    shop: &Fleet,
    settings: &[(&'static str, String)],
    bus: &Bus,
) -> anyhow::Result<()> {
    let folder = shop.stage.data.clone();
    let search = Database::connect(&format!("sqlite:{}", folder.join("search.sqlite").display())).await?;
    // The last of two products is none that was bought before: goods are handed out in the order of products.
    let good = shop.stage.goods_of_different_products(2)?.pop().context("a good")?;
    let desk = Uncounted { shop, folder, settings: settings.to_vec(), search, good };
    let before = desk.sold().await?;

    desk.search.schema().execute_unprepared(BREAK).await?;
    let dead = desk.buy().await?;
    let id = dead.event.id.to_string();
    ensure!(dead.origin.starts_with("techpotli.orders/"), "found at {}", dead.origin);
    let (said, _) = desk.events(&["list"]).await?;
    let row = said.lines().find(|line| line.contains(&id)).with_context(|| said.clone())?;
    ensure!(row.starts_with("search") && row.contains(&dead.origin), "{said}");
    ensure!(row.contains("nothing can be counted"), "{said}");
    let (said, good) = desk.events(&["replay", &id]).await?;
    ensure!(!good && said.contains("0 applied, 1 stay dead letters."), "{said}");
    desk.search.schema().execute_unprepared(MEND).await?;
    ensure!(desk.sold().await? == before, "it was counted, though it could not be applied");

    // Two at the same moment, and one who comes late.
    let all = ["replay", "--all"];
    let (one, other) = tokio::try_join!(desk.events(&all), desk.events(&all))?;
    let applied = format!("{id} is applied in search.");
    let times = [&one, &other].iter().filter(|(said, _)| said.contains(&applied)).count();
    ensure!(times == 1, "applied {times} times: {one:?} {other:?}");
    let (said, good) = desk.events(&["replay", &id]).await?;
    ensure!(!good && said.contains("is no dead letter"), "{said}");
    ensure!(desk.sold().await? == before + UNITS, "{} counted after {before}", desk.sold().await?);

    // Kafka delivers it again, and after it, as a control, an event that differs in its id alone.
    let copy = Envelope { id: Ids::random(Clock::system()).next(), ..dead.event.clone() };
    bus.publish(vec![dead.event.clone(), copy]).await.map_err(told)?;
    eventually("the copy", || async { Ok((desk.sold().await? > before + UNITS).then_some(())) }).await?;
    let after = desk.sold().await?;
    ensure!(after == before + 2 * UNITS, "{after} counted after {before}, with the copy");

    desk.search.schema().execute_unprepared(BREAK).await?;
    let dropped = desk.buy().await?.event.id.to_string();
    desk.search.schema().execute_unprepared(MEND).await?;
    let (said, good) = desk.events(&["drop", &dropped]).await?;
    ensure!(good && said == "1 dead letter is dropped for good.\n", "{said}");
    let (said, good) = desk.events(&["replay", "--all"]).await?;
    ensure!(good && said.starts_with("0 applied, 0 stay"), "{said}");
    let (said, _) = desk.events(&["list"]).await?;
    ensure!(said == "There are no dead letters.\n", "{said}");
    ensure!(desk.sold().await? == after, "what was dropped was counted");
    println!(
        "dead letters over Kafka: {id} of {} replayed four times and delivered twice, applied once",
        dead.origin
    );
    Ok(())
}

impl Uncounted<'_> {
    /// Has a guest buy, and waits for the dead letter that comes of it.
    async fn buy(&self) -> anyhow::Result<DeadLetter> {
        let stage = &self.shop.stage;
        let email = format!("{}@example.com", stage.fresh("guest"));
        let cart = Cart::of_guest(stage, &email, &[(&self.good, UNITS)]).await?;
        cart.buy(stage, &stage.guest).await?;
        eventually("a dead letter", || async {
            Ok(messaging::dead_letters(&self.search, None, 1).await.map_err(told)?.pop())
        })
        .await
    }

    /// Units of the good's product that search has counted.
    async fn sold(&self) -> anyhow::Result<i64> {
        let product = WORLD.product(self.good.product).id;
        let text = "SELECT units_sold FROM document WHERE product_id = ?";
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, text, [product.into()]);
        let row = self.search.newest().query_one_raw(statement).await?.context("search knows it")?;
        Ok(row.try_get("", "units_sold")?)
    }

    async fn events(&self, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
        let (folder, settings) = (self.folder.clone(), self.settings.clone());
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            events_with(&folder, &settings, &arguments)
        })
        .await?
    }
}

fn told(fault: Fault) -> anyhow::Error {
    anyhow::anyhow!("{}", fault.chain())
}
