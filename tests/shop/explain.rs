//! No statement of the storefront reads a table that grows from its first row to its last.
//!
//! The flows run on MariaDB while its log takes down every statement with its values. Each of them is explained on
//! databases of a size that makes the optimiser mean it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use seed::World;
use services::mariadb::MariaDb;
use services::{Ground, Service, mariadb};

use crate::client::Client;
use crate::flows;
use crate::node::skipped;
use crate::process::{Process, binary};
use crate::stage::{Goods, Stage};
use crate::template::{WORLD, seed};

/// Tables that may be read whole, and why.
const WHOLE: [(&str, &str); 9] = [
    ("category", "a dozen, kept in memory"),
    ("channel", "three, kept in memory"),
    ("stock_location", "a few, kept in memory"),
    ("promotion", "dozens, kept in memory"),
    ("document", "read once, when the search of a process begins"),
    ("stock", "read once, when the search of a process begins"),
    ("co_purchase", "read once, when the search of a process begins"),
    ("tables", "the server's own, read when a process begins"),
    ("seaql_migrations", "the steps, read when a process begins"),
];
/// An index may be read in its order up to a limit, and not from end to end.
const MOST_ROWS: u64 = 1_000;

/// A statement as it was run, without its values, and where.
type Statements = BTreeMap<(String, Vec<u8>), Vec<u8>>;

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_holds_on_mariadb_and_no_statement_reads_a_whole_table() -> anyhow::Result<()> {
    if let Err(why) = Service::Mariadb.install() {
        return skipped("flows on MariaDB, and its plans", &why.to_string());
    }
    let ground = Ground::temporary()?;
    let server = mariadb::primary(&ground)?;
    let folder = tempfile::tempdir()?;
    let url = format!("{}/shop", server.server.url());
    seed(folder.path(), &[("TECHPOTLI_DATABASE_URL", url.clone())], &WORLD)?;
    let log = server.server.folder().join("statements.log");
    server.sql(&format!("SET GLOBAL general_log_file='{}'; SET GLOBAL general_log=ON", log.display()))?;
    run_flows(folder.path(), &url).await?;
    server.sql("SET GLOBAL general_log=OFF")?;
    let statements = read_log(&std::fs::read(&log)?);
    ensure!(statements.len() > 100, "only {} different statements were logged", statements.len());

    // The same world, and more of it.
    let more = World { products: 1_000, users: 1_000, orders: 2_000, ..WORLD };
    seed(folder.path(), &[("TECHPOTLI_DATABASE_URL", format!("{}/more", server.server.url()))], &more)?;
    let whole = explain(&server, folder.path(), &statements)?;
    ensure!(whole.is_empty(), "read whole:\n{}", whole.join("\n"));
    println!("{} different statements explained", statements.len());

    // The control.
    server.sql("ALTER TABLE more_orders.order_line DROP INDEX order_line_order")?;
    let whole = explain(&server, folder.path(), &statements)?;
    ensure!(whole.iter().any(|found| found.contains("order_line")), "the lack of an index was not found");
    Ok(())
}

async fn run_flows(folder: &Path, url: &str) -> anyhow::Result<()> {
    let mut command = binary(folder);
    command.env("TECHPOTLI_LISTEN", "127.0.0.1:0").env("TECHPOTLI_DATA_DIR", folder);
    command.env("TECHPOTLI_SEED", "none").env("TECHPOTLI_RATE_USER", "0");
    command.env("TECHPOTLI_DEADLINE_MS", "60000").env("TECHPOTLI_DATABASE_URL", url);
    let process = Process::start(command).await?;
    let stage = Arc::new(Stage {
        guest: Client::guest(&process.base),
        data: folder.to_owned(),
        subgraphs: Vec::new(),
        goods: Arc::new(Goods::new()),
    });
    let flowed = flows::run("one process on MariaDB", &stage, flows::all()).await;
    let faults = process.faults();
    flowed.with_context(|| format!("faults in the log: {faults:#?}"))?;
    ensure!(faults.is_empty(), "faults in the log: {faults:#?}");
    Ok(())
}

/// What was run in each database, by the server's log: `id command\targument`, where a connection says its database.
fn read_log(log: &[u8]) -> Statements {
    let mut databases: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    let mut statements = Statements::new();
    for line in log.split(|byte| *byte == b'\n') {
        let mut fields = line.splitn(2, |byte| *byte == b'\t').last().unwrap_or_default();
        while let Some(rest) = fields.strip_prefix(b"\t").or_else(|| fields.strip_prefix(b" ")) {
            fields = rest;
        }
        let mut parts = fields.splitn(2, |byte| *byte == b'\t');
        let (head, argument) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut words = head.splitn(2, |byte| *byte == b' ');
        let (id, command) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match command {
            b"Connect" => {
                let said = String::from_utf8_lossy(argument).into_owned();
                let database = said.split(" on ").nth(1).and_then(|rest| rest.split(' ').next());
                databases.insert(id.to_owned(), database.unwrap_or_default().to_owned());
            }
            b"Execute" => {
                let reads =
                    [&b"SELECT"[..], b"UPDATE", b"DELETE"].iter().any(|verb| argument.starts_with(verb));
                if let Some(database) = databases.get(id).filter(|_| reads) {
                    let key = (database.clone(), without_values(argument));
                    statements.entry(key).or_insert_with(|| argument.to_owned());
                }
            }
            _ => {}
        }
    }
    statements
}

/// A statement with one `?` for each value, or list of values.
fn without_values(statement: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::new();
    let mut bytes = statement.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let in_a_word = text.last().is_some_and(|last| last.is_ascii_alphanumeric() || *last == b'_');
        match byte {
            b'\'' => {
                while let Some(inside) = bytes.next() {
                    match inside {
                        b'\\' => drop(bytes.next()),
                        b'\'' => break,
                        _ => {}
                    }
                }
                text.push(b'?');
            }
            b'0'..=b'9' if !in_a_word => {
                while bytes.next_if(u8::is_ascii_alphanumeric).is_some() {}
                text.push(b'?');
            }
            _ => text.push(byte),
        }
        for list in [&b"?, ?"[..], b"?), (?"] {
            if text.ends_with(list) {
                text.truncate(text.len() - list.len() + 1);
            }
        }
    }
    text
}

/// The statements that read a whole table.
fn explain(server: &MariaDb, folder: &Path, statements: &Statements) -> anyhow::Result<Vec<String>> {
    let script = folder.join("explain.sql");
    // A low value of the first makes the optimiser prefer an index even where a table is small.
    let mut text = b"SET NAMES binary; SET max_seeks_for_key=1;\n".to_vec();
    for (number, ((database, _), statement)) in statements.iter().enumerate() {
        let database = database.replacen("shop_", "more_", 1);
        text.extend_from_slice(format!("USE {database}; SELECT '#', {number}; EXPLAIN ").as_bytes());
        text.extend_from_slice(statement);
        text.extend_from_slice(b";\n");
    }
    std::fs::write(&script, text)?;
    let plans = server.sql(&format!("source {}", script.display()))?;
    let mut whole = Vec::new();
    let mut explained = 0;
    let mut current = None;
    for line in plans.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        if let ["#", number] = columns[..] {
            current = Some(number.parse::<usize>()?);
            explained += 1;
            continue;
        }
        let [_, _, table, how, possible, _, _, _, rows, ..] = columns[..] else { continue };
        let reads_all = how == "ALL" || how == "index" && rows.parse::<u64>()? > MOST_ROWS;
        if reads_all && !table.starts_with('<') && WHOLE.iter().all(|(name, _)| *name != table) {
            let ((database, text), _) = current
                .and_then(|number| statements.iter().nth(number))
                .context("a plan without its statement")?;
            let text = String::from_utf8_lossy(text);
            whole.push(format!("{database}: {table} (indexes: {possible}): {text}"));
        }
    }
    ensure!(explained == statements.len(), "{explained} of {} statements were explained", statements.len());
    Ok(whole)
}
