//! `techpotli events`: what could not be applied is listed by pages, applied once, or dropped.

use std::path::Path;

use anyhow::{Context as _, ensure};
use common::id::EventId;
use common::{Clock, Ids, Timestamp};
use database::Database;
use events::Event as _;
use events::inventory::InventoryEvent;
use messaging::{Consumer, Envelope, Receiver};
use sea_orm::ConnectionTrait as _;

use crate::process::run;
use crate::setups::text;
use crate::template::{WORLD, seeded_folder};

/// Runs `techpotli events …` on a folder; what it prints, and whether it succeeded.
fn events(folder: &Path, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
    let all = [&["events"], arguments, &["--data-dir", text(folder)?]].concat();
    let output = run(folder, &all)?;
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
        buried.map_err(|fault| anyhow::anyhow!("{}", fault.chain()))?;
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
