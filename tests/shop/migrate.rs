//! `techpotli migrate`: once at a time, again after a kill, before the processes that need it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use services::{Ground, Service, mariadb};

use crate::node::skipped;
use crate::process::binary;

/// How often the migration of one shop is killed at most, and of all shops at least.
const MOST: u32 = 15;
const FEWEST: u32 = 20;
/// Everything that makes up the schemas of the databases that begin like this, a line each.
const SCHEMA: &str = "SELECT SUBSTRING(table_schema, 7), table_name, ordinal_position, column_name, column_type, \
     is_nullable, COALESCE(column_default, '-'), extra FROM information_schema.columns WHERE table_schema LIKE '{}\\_%' \
     ORDER BY 1, 2, 3; \
     SELECT SUBSTRING(table_schema, 7), table_name, index_name, seq_in_index, column_name, non_unique \
     FROM information_schema.statistics WHERE table_schema LIKE '{}\\_%' ORDER BY 1, 2, 3, 4";

fn migrate(folder: &std::path::Path, url: &str) -> Command {
    let mut command = binary(folder);
    command.env("TECHPOTLI_DATABASE_URL", url).env("TECHPOTLI_DATA_DIR", folder).arg("migrate");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn a_migration_that_is_killed_again_and_again_comes_to_the_same_end() -> anyhow::Result<()> {
    if let Err(why) = Service::Mariadb.install() {
        return skipped("migrations that are killed", &why.to_string());
    }
    let ground = Ground::temporary()?;
    let server = mariadb::primary(&ground)?;
    let folder = tempfile::tempdir()?;
    let url = |name: &str| format!("{}/{name}", server.server.url());
    // All names are as long, which the queries rely on.
    let schema = |name: &str| server.sql(&SCHEMA.replace("{}", name));

    let refused = binary(folder.path())
        .env("TECHPOTLI_DATABASE_URL", url("whole"))
        .args(["subgraph", "users", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(!refused.status.success() && said.contains("techpotli migrate"), "not refused: {said}");

    let timed = |name: &str| {
        let begun = Instant::now();
        let output = migrate(folder.path(), &url(name)).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(begun.elapsed())
    };
    let (took, nothing_to_do) = (timed("whole")?, timed("whole")?);
    let expected = schema("whole")?;
    ensure!(expected.lines().count() > 100, "hardly a schema: {expected}");

    // Each run may get a little further; how far is left to the moment of the kill.
    let mut killed = 0;
    for shop in ["kill1", "kill2", "kill3", "kill4"] {
        let kills = kill_until_done(|| migrate(folder.path(), &url(shop)), nothing_to_do, took)?;
        let got = schema(shop)?;
        let differing = got.lines().zip(expected.lines()).find(|(got, expected)| got != expected);
        ensure!(got == expected, "after {kills} kills the schemas differ: {differing:?}");
        killed += kills;
    }
    println!("{killed} runs killed, {} lines of schema as without", expected.lines().count());
    ensure!(killed >= FEWEST, "only {killed} runs were under way when they were killed");
    Ok(())
}

/// Kills run after run, until one ends before, or several at once are let go; says how many were killed.
fn kill_until_done(
    migrate: impl Fn() -> Command,
    nothing_to_do: Duration,
    took: Duration,
) -> anyhow::Result<u32> {
    for round in 0..MOST {
        let mut child = migrate().spawn()?;
        let patience = nothing_to_do * (1 + round % 5) / 5 + took.saturating_sub(nothing_to_do) / 40;
        let end = Instant::now() + patience;
        while Instant::now() < end && child.try_wait()?.is_none() {
            std::thread::yield_now();
        }
        let was_over = child.try_wait()?.is_some();
        child.kill()?;
        child.wait()?;
        if was_over {
            return Ok(round);
        }
    }
    let last: Vec<_> = (0..3).map(|_| migrate().spawn()).collect::<Result<_, _>>()?;
    for child in last {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(MOST)
}
