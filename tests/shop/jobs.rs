//! What is done in the background: by workers alone where there are workers, once, and whoever of them is killed; seen,
//! tried again and dropped by `techpotli jobs`.

use std::path::Path;

use anyhow::{Context as _, ensure};
use common::id::Job;
use common::{Clock, Fault, Ids};
use database::{Database, ScopedFutureExt as _};
use jobs::{Asked, Queue};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::client::Client;
use crate::kafka::{broker, on, told};
use crate::operations::CHECKOUT;
use crate::process::run;
use crate::setups::{Fleet, OneProcess, start_worker, text};
use crate::shopper::Cart;
use crate::stage::{Good, eventually};
use crate::template::seeded_folder;

/// Runs `techpotli jobs …` on a folder; what it prints, and whether it succeeded.
fn jobs(folder: &Path, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
    let all = [&["jobs"], arguments, &["--data-dir", text(folder)?]].concat();
    let output = run(folder, &all)?;
    let said = [output.stdout, output.stderr].concat();
    Ok((String::from_utf8_lossy(&said).into_owned(), output.status.success()))
}

/// The cells of the first line that has this one.
fn line(said: &str, cell: &str) -> Option<Vec<String>> {
    let cells = said.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
    let mut rows = cells.map(|row| row.map(str::to_owned).collect::<Vec<_>>());
    rows.find(|row| row.iter().any(|found| found == cell))
}

async fn open(folder: &Path, subgraph: &str) -> anyhow::Result<Database> {
    Ok(Database::connect(&format!("sqlite:{}", folder.join(format!("{subgraph}.sqlite")).display())).await?)
}

async fn number(database: &Database, text: &str) -> anyhow::Result<i64> {
    let statement = Statement::from_string(DbBackend::Sqlite, text);
    let row = database.newest().query_one_raw(statement).await?.context("a row")?;
    Ok(row.try_get("", "number")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_alone_do_the_jobs_once_and_go_on_when_one_of_them_is_killed() -> anyhow::Result<()> {
    let Some(broker) = broker("jobs of workers")? else { return Ok(()) };
    let folder = seeded_folder()?;
    let folder = folder.path();
    let settings = on(&broker);
    let shop = Fleet::start(folder, &settings, 0).await?;
    let inventory = open(folder, "inventory").await?;
    let reserved = async || number(&inventory, "SELECT SUM(reserved) AS number FROM stock_level").await;
    let expired = async || {
        number(&inventory, "SELECT COUNT(*) AS number FROM reservation WHERE state = 'EXPIRED'").await
    };
    let (held, swept) = (reserved().await?, expired().await?);

    // Nobody works yet: what a buyer has left is free again, and nothing tidies up after it.
    let good = shop.stage.good()?;
    leave(&shop, &inventory, &good).await?;
    ensure!(reserved().await? == held + 1, "something swept without a worker");
    let (said, _) = jobs(folder, &["list"])?;
    ensure!(said == "There are no jobs.\n", "subgraphs have jobs without a worker: {said}");

    let first = start_worker(folder, &settings).await?;
    let second = start_worker(folder, &settings).await?;
    let is_swept = async |count: i64| {
        eventually("the sweep", || async { Ok((expired().await? == swept + count).then_some(())) }).await?;
        ensure!(reserved().await? == held, "swept more or less than once: {}", reserved().await?);
        anyhow::Ok(())
    };
    is_swept(1).await?;
    // SIGKILL.
    drop(first);
    leave(&shop, &inventory, &shop.stage.good()?).await?;
    is_swept(2).await?;
    let email = format!("{}@example.com", shop.stage.fresh("guest"));
    let cart = Cart::of_guest(&shop.stage, &email, &[(&shop.stage.good()?, 1)]).await?;
    let order = cart.buy(&shop.stage, &shop.stage.guest).await?;
    let mail = folder.join("notifications").join("mail");
    eventually("what the buyer is told", || async { Ok((told(&mail, &order)? > 0).then_some(())) }).await?;
    ensure!(told(&mail, &order)? == 1, "{} mails", told(&mail, &order)?);

    let metrics = Client::guest(&second.base).get("/metrics", &[]).await?.text;
    for name in [
        "techpotli_jobs_depth",
        "techpotli_jobs_failed",
        "techpotli_jobs_overdue_seconds",
        "techpotli_job_seconds",
    ] {
        ensure!(metrics.contains(name), "no {name} in the metrics: {metrics}");
    }
    let runs = metrics.lines().filter(|line| line.starts_with("techpotli_job_runs_total"));
    let ran: Vec<&str> = runs.filter(|line| line.contains("outcome=\"done\"")).collect();
    for job in ["sweep-reservations", "deliver-messages"] {
        ensure!(ran.iter().any(|line| line.contains(job)), "the worker that is left did not {job}: {ran:#?}");
    }
    for (name, process) in &shop.subgraphs.running {
        let metrics = Client::guest(&process.base).get("/metrics", &[]).await?.text;
        ensure!(!metrics.contains("techpotli_job_runs_total"), "{name} does jobs by itself: {metrics}");
    }
    let (said, _) = jobs(folder, &["list"])?;
    for job in ["upkeep", "abandon-carts", "forget-sessions", "sweep-reservations"] {
        ensure!(line(&said, job).is_some(), "{job} is not listed: {said}");
    }
    let mut faults = shop.faults();
    faults.extend(second.terminate().await?);
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// A buyer begins to check out, and leaves: as if a quarter of an hour ago.
async fn leave(shop: &Fleet, inventory: &Database, good: &Good) -> anyhow::Result<()> {
    let stage = &shop.stage;
    let before = stage.available(good).await?;
    // A guest, whose address comes with the cart and not by an event.
    let email = format!("{}@example.com", stage.fresh("guest"));
    let cart = Cart::of_guest(stage, &email, &[(good, 1)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_action");
    stage.guest.done(CHECKOUT, "Checkout", input).await?;
    eventually("what is set aside", || async {
        Ok((stage.available(good).await? == before - 1).then_some(()))
    })
    .await?;
    for table in ["order_hold", "reservation"] {
        let text = format!("UPDATE {table} SET expires_at = 1 WHERE state = 'ACTIVE'");
        inventory.schema().execute_unprepared(&text).await?;
    }
    eventually("what is free again", || async { Ok((stage.available(good).await? == before).then_some(())) })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_failed_is_listed_and_tried_again_and_one_that_nobody_wants_is_dropped()
-> anyhow::Result<()> {
    let shop = OneProcess::start().await?;
    let folder = shop.folder.path();
    let listed = async |name: &str, state: &str| {
        eventually(&format!("{name} {state}"), || async {
            let (said, good) = jobs(folder, &["list"])?;
            ensure!(good, "{said}");
            Ok(line(&said, name).filter(|row| row.iter().any(|cell| cell == state)))
        })
        .await
    };
    let waiting = listed("forget-sessions", "waiting").await?;
    ensure!(waiting[0] == "users" && waiting[1].starts_with("job_"), "{waiting:?}");
    let (said, _) = jobs(folder, &["list", "--failed"])?;
    ensure!(said == "No job has failed.\n", "{said}");

    // Nine tries lie behind it, and the tenth fails as well.
    let users = open(folder, "users").await?;
    for text in [
        "ALTER TABLE login_throttle RENAME TO taken_away",
        "UPDATE job SET attempts = 9, run_at = 1 WHERE name = 'forget-sessions'",
    ] {
        users.schema().execute_unprepared(text).await?;
    }
    let failed = listed("forget-sessions", "failed").await?;
    ensure!(failed[1] == waiting[1], "another job: {failed:?}");
    let (said, _) = jobs(folder, &["list", "--failed", "--subgraph", "users"])?;
    ensure!(said.lines().count() == 2 && said.contains("no such table"), "{said}");
    users.schema().execute_unprepared("ALTER TABLE taken_away RENAME TO login_throttle").await?;
    let (said, good) = jobs(folder, &["retry", "--all"])?;
    ensure!(good && said.ends_with("1 job is tried again.\n"), "{said}");
    eventually("success", || async {
        let tries =
            "SELECT attempts AS number FROM job WHERE name = 'forget-sessions' AND last_error IS NULL";
        Ok(number(&users, tries).await.ok().filter(|tries| *tries == 0))
    })
    .await?;
    let (said, _) = jobs(folder, &["list", "--failed"])?;
    ensure!(said == "No job has failed.\n", "{said}");

    let search = open(folder, "search").await?;
    let clock = Clock::system();
    let queue = Queue::new("search", &search, &clock, &Ids::random(clock.clone()));
    let asked: Result<bool, Fault> = search
        .transaction(|tx| {
            let (queue, at) = (&queue, clock.now());
            async move { queue.ask(tx, &Asked { name: "unheard-of", key: "one", payload: (), at }).await }
                .scope_boxed()
        })
        .await;
    ensure!(asked.is_ok_and(|new| new), "it was not asked for");
    let (said, _) = jobs(folder, &["list", "--subgraph", "search"])?;
    let unheard = line(&said, "unheard-of").context(said)?;
    ensure!(unheard[3..5] == ["one", "waiting"], "{unheard:?}");
    let (said, good) = jobs(folder, &["drop", &unheard[1]])?;
    ensure!(good && said == "1 job is dropped for good.\n", "{said}");
    let (said, good) = jobs(folder, &["drop", &unheard[1]])?;
    ensure!(!good && said.contains("there is no job"), "{said}");

    let (said, _) = jobs(folder, &["list", "--limit", "1"])?;
    let next = said.trim().lines().last().and_then(|line| line.strip_prefix("There are more: --after "));
    let first = line(&said, "users").context("a job")?;
    let (said, _) = jobs(folder, &["list", "--after", next.context("there are more")?])?;
    ensure!(!said.contains(&first[1]) && said.contains("upkeep"), "{said}");
    Ok(())
}

#[test]
fn what_is_asked_in_vain_is_refused_in_a_sentence() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let migrated = run(folder.path(), &["migrate", "--data-dir", text(folder.path())?])?;
    ensure!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let id = Ids::counted().next::<Job>().to_string();
    for (arguments, words) in [
        (&["list", "--subgraph", "nobody"][..], "there is no subgraph 'nobody'"),
        (&["list", "--after", "here"], "--after must look like SUBGRAPH/JOB"),
        (&["drop"], "say which jobs by their ids, or --all that have failed"),
        (&["drop", &id], "there is no job"),
        (&["retry", "prod_1"], "'prod_1' is not an id of the form"),
    ] {
        let (said, good) = jobs(folder.path(), arguments)?;
        ensure!(!good && said.contains(words), "{arguments:?}: {said}");
    }
    let (said, good) = jobs(folder.path(), &["drop", "--all"])?;
    ensure!(good && said == "0 jobs are dropped for good.\n", "{said}");
    Ok(())
}
