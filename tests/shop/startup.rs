//! Starting: what goes wrong is said in one sentence, and a second start finds what the first left.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::client::{Client, same};
use crate::process::{Process, binary, run};

/// A refusal: a non-zero exit, and one clear sentence on standard error that names what is wrong.
fn refused(what: &str, output: &Output, names: &str) -> anyhow::Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "{what} went through");
    ensure!(output.status.code().is_some(), "{what}: ended by a signal");
    ensure!(said.contains(names), "{what} does not name {names}: {said}");
    ensure!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{what}: {said}");
    Ok(())
}

fn one_sentence(what: &str, output: &Output) -> anyhow::Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.trim_end().lines().count() == 1, "{what}: more than a sentence: {said}");
    Ok(())
}

fn data(folder: &Path) -> anyhow::Result<&str> {
    folder.to_str().context("a name that is text")
}

#[test]
fn an_occupied_port_is_said_in_one_sentence() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for role in [&[][..], &["subgraph", "users"]] {
        let arguments = [role, &["--listen", &address, "--data-dir", data(folder.path())?]].concat();
        let output = run(folder.path(), &arguments)?;
        refused("an occupied port", &output, &address)?;
        one_sentence("an occupied port", &output)?;
    }
    Ok(())
}

#[test]
fn an_unwritable_data_directory_is_said_in_one_sentence() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // A file in its place cannot be written into, not even by root.
    let file = folder.path().join("file");
    std::fs::write(&file, b"")?;
    let inside = file.join("data");
    for arguments in [&["--listen", "127.0.0.1:0"][..], &["seed"], &["config", "check"]] {
        let arguments = [arguments, &["--data-dir", data(&inside)?]].concat();
        let output = run(folder.path(), &arguments)?;
        refused("an unwritable data directory", &output, data(&inside)?)?;
        one_sentence("an unwritable data directory", &output)?;
    }
    Ok(())
}

#[test]
fn unknown_settings_are_refused_by_name() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    refused("an unknown flag", &run(folder.path(), &["--lissten", "127.0.0.1:0"])?, "--lissten")?;
    refused("an unknown command", &run(folder.path(), &["sell"])?, "sell")?;
    refused(
        "an unknown subgraph",
        &run(folder.path(), &["subgraph", "sales", "--listen", "127.0.0.1:0"])?,
        "sales",
    )?;
    let output = binary(folder.path()).env("TECHPOTLI_LISTEM", "127.0.0.1:0").output()?;
    refused("an unknown variable", &output, "TECHPOTLI_LISTEM")?;
    one_sentence("an unknown variable", &output)?;
    std::fs::write(folder.path().join(".env"), "TECHPOTLI_LISTEM=127.0.0.1:0\n")?;
    let output = run(folder.path(), &["config", "check"])?;
    refused("an unknown variable in .env", &output, "TECHPOTLI_LISTEM")
}

#[test]
fn bad_values_are_refused_by_name() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (arguments, names) in [
        (&["--listen", "nowhere"][..], "nowhere"),
        (&["--deadline-ms", "0"], "--deadline-ms"),
        (&["--seed", "some"], "some"),
        (&["--log-format", "loud"], "loud"),
        (
            &["gateway", "--supergraph", "no-such-file.graphql", "--listen", "127.0.0.1:0"],
            "no-such-file.graphql",
        ),
        (&["subgraph", "users", "--peer", "orders=somewhere"], "somewhere"),
        (&["schema", "compose", "a.graphql"], "a.graphql"),
        (&["schema", "compose", "a=no-such-file.graphql"], "no-such-file.graphql"),
    ] {
        refused(&arguments.join(" "), &run(folder.path(), arguments)?, names)?;
    }
    for command in [&["config", "check"][..], &["--listen", "127.0.0.1:0"]] {
        let arguments =
            [command, &["--database-url", "postgres://localhost/shop", "--data-dir", data(folder.path())?]]
                .concat();
        let output = run(folder.path(), &arguments)?;
        refused("a bad URL", &output, "mysql:")?;
        one_sentence("a bad URL", &output)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_finds_what_the_first_left() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let size = ["--products", "24", "--users", "10", "--orders", "20", "--data-dir", data(folder.path())?];
    let seeded = run(folder.path(), &[&["seed"], &size[..]].concat())?;
    ensure!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let again = run(folder.path(), &[&["seed"], &size[..]].concat())?;
    ensure!(again.status.success(), "seeding again: {}", String::from_utf8_lossy(&again.stderr));
    let mut cart = None;
    for start in 0..2 {
        let mut command = binary(folder.path());
        command.args(["--listen", "127.0.0.1:0", "--seed", "none", "--data-dir", data(folder.path())?]);
        let shop = Process::start(command).await?;
        let guest = Client::guest(&shop.base);
        let counted = guest.data("query Count { search { totalCount } }", "Count", json!({})).await?;
        same("products", &counted["search"]["totalCount"], 24)?;
        if let Some(id) = &cart {
            let seen =
                guest.data("query C($id: ID) { cart(id: $id) { id } }", "C", json!({ "id": id })).await?;
            same("the cart of before", &seen["cart"]["id"], serde_json::Value::clone(id))?;
        }
        let made = guest.data("mutation M { cartCreate(input: {}) { cart { id } } }", "M", json!({})).await?;
        cart = Some(made["cartCreate"]["cart"]["id"].clone());
        ensure!(shop.faults().is_empty(), "start {start}: {:?}", shop.faults());
    }
    Ok(())
}
