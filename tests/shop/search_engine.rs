//! The whole shop with a search engine: one that is not there, and one whose index is built anew by somebody who is
//! killed again and again.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use services::{Ground, Service};

use crate::client::{Client, same};
use crate::node::skipped;
use crate::process::{Process, binary, run};
use crate::template::{WORLD, seeded_folder};

/// Searches and suggestions are answered and say in the client's `extensions` that they could be better.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_engine_a_shop_searches_its_database_and_says_so_to_the_client() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = binary(folder.path());
    command
        .env("TECHPOTLI_LISTEN", "127.0.0.1:0")
        .env("TECHPOTLI_DATA_DIR", folder.path())
        .env("TECHPOTLI_SEED", "none")
        .env("TECHPOTLI_SEARCH_URL", format!("http://shop:secret-word@{nobody}"));
    let shop = Process::start(command).await?;
    let guest = Client::guest(&shop.base);
    let degraded = json!({ "search": { "degraded": true } });
    let ask = async |document: &str| -> anyhow::Result<Value> {
        let answer = guest.ask(document, None, json!({})).await?.json()?;
        ensure!(answer.get("errors").is_none(), "{answer}");
        Ok(answer)
    };
    let all = ask("{ search { totalCount facets { key } } }").await?;
    same("products", &all["data"]["search"]["totalCount"], WORLD.products)?;
    same("extensions", &all["extensions"], degraded.clone())?;
    let both = "{ suggest(query: \"cer\") { text product { slug } }
        search(query: \"ceramic\", first: 3) { totalCount edges { product { title } } } }";
    // The words are written after the start, at first by itself: until then fewer products are found.
    let found = loop {
        let found = ask(both).await?;
        same("extensions", &found["extensions"], degraded.clone())?;
        if found["data"]["search"]["totalCount"] != 0 {
            break found;
        }
    };
    let title = found["data"]["search"]["edges"][0]["product"]["title"].as_str().unwrap_or_default();
    ensure!(title.contains("Ceramic"), "{found}");
    let whole = ask("{ channel { code } }").await?;
    ensure!(whole.get("extensions").is_none(), "what is whole says nothing: {whole}");
    let said = shop.said().join("\n");
    ensure!(!said.contains("secret-word"), "the password is in the log: {said}");
    Ok(())
}

const PRODUCTS: u64 = 2_000;
const KILLS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_built_anew_and_killed_goes_on_and_the_old_one_is_searched_until_then()
-> anyhow::Result<()> {
    for engine in [Service::Elasticsearch, Service::Opensearch] {
        let name = engine.name();
        if let Err(missing) = engine.install() {
            skipped(&format!("reindexing on {name}"), &missing.to_string())?;
            continue;
        }
        let ground = Ground::temporary()?;
        let server = match engine {
            Service::Elasticsearch => services::elasticsearch::start(&ground)?,
            _ => services::opensearch::start(&ground)?,
        };
        killed(server.url()).await.with_context(|| format!("on {name}"))?;
    }
    Ok(())
}

async fn killed(server: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("the folder's name is text")?;
    let products = PRODUCTS.to_string();
    let seeded = run(
        folder.path(),
        &["seed", "--data-dir", data, "--products", &products, "--users", "2", "--orders", "10"],
    )?;
    ensure!(seeded.status.success(), "seeding failed: {}", String::from_utf8_lossy(&seeded.stderr));
    let index = format!("t{}", uuid_of(folder.path())?);
    let url = format!("{server}/{index}");
    let reindex = ["search", "reindex", "--data-dir", data, "--search-url", &url];
    let first = run(folder.path(), &reindex)?;
    ensure!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let engine = Client::guest(server);
    ensure!(indices(&engine, &index).await? == [format!("{index}-1")]);

    let over = AtomicBool::new(false);
    let watch = async {
        let mut looks = 0;
        while !over.load(Ordering::Relaxed) {
            ensure!(count(&engine, &index).await? == PRODUCTS, "the index that is searched is not whole");
            looks += 1;
        }
        Ok(looks)
    };
    let kill = async {
        let mut under_way = 0;
        for attempt in 0..KILLS {
            let mut process = binary(folder.path())
                .args(reindex)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .context("the binary cannot be started")?;
            tokio::time::sleep(Duration::from_millis(100 + 83 * u64::from(attempt))).await;
            under_way += u32::from(process.try_wait()?.is_none());
            process.kill()?;
            process.wait()?;
        }
        over.store(true, Ordering::Relaxed);
        anyhow::Ok(under_way)
    };
    let (looks, under_way) = tokio::join!(watch, kill);
    ensure!(looks? > 0 && under_way? > KILLS / 4, "few were killed under way");

    let last = run(folder.path(), &reindex)?;
    let said = String::from_utf8_lossy(&last.stdout);
    ensure!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    let left = indices(&engine, &index).await?;
    ensure!(left.len() == 1 && left[0] != format!("{index}-1"), "one index is left: {left:?}");
    ensure!(said.contains(&left[0]), "{said}");
    ensure!(count(&engine, &index).await? == PRODUCTS);
    Ok(())
}

/// A name that no other run has.
fn uuid_of(folder: &std::path::Path) -> anyhow::Result<String> {
    let name = folder.file_name().context("a folder has a name")?.to_string_lossy();
    Ok(name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
        + &std::process::id().to_string())
}

async fn get(engine: &Client, path: &str) -> anyhow::Result<Value> {
    let answer = engine.send(engine.request("GET", path).body(Default::default())?).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text);
    Ok(serde_json::from_str(&answer.text)?)
}

async fn count(engine: &Client, index: &str) -> anyhow::Result<u64> {
    get(engine, &format!("/{index}/_count")).await?["count"].as_u64().context("a count")
}

async fn indices(engine: &Client, index: &str) -> anyhow::Result<Vec<String>> {
    let found = get(engine, &format!("/{index}-*/_alias")).await?;
    Ok(found.as_object().context("indices by name")?.keys().cloned().collect())
}
