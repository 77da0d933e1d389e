//! What a process remembers of its databases is what they say, also where another process writes to them.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{OneProcess, with_settings};
use crate::client::{Client, list, same};
use crate::operations::{PDP, UPSERT};
use crate::process::Process;
use crate::stage::{Stage, eventually};
use crate::template::WORLD;

/// All that a page shows of a product, but when it was so.
const PAGE: &str = "query Page($slug: String!) { product(slug: $slug) { id title ratingAverage \
    variants(first: 50) { nodes { sku listPrice { amountMinor } buyerPrice { unit { amountMinor } } \
    availability { status quantity } } } \
    reviews(first: 5) { nodes { rating body author { displayName } } } } }";

async fn page(client: &Client, slug: &str) -> anyhow::Result<Value> {
    Ok(client.data(PAGE, "Page", json!({ "slug": slug })).await?["product"].take())
}

/// Pages that nobody has asked for yet take no statement, once the shop has come to itself.
pub async fn is_read_before_anybody_asks(shop: &OneProcess) -> anyhow::Result<()> {
    let stage = shop.stage();
    let mut unseen = 0..WORLD.products;
    eventually("a page that nobody has asked for and that takes no statement", || {
        let (number, guest) = (unseen.next(), stage.guest.clone());
        async move {
            let slug = WORLD.product(number.context("all pages have been asked for")?).slug;
            let asked = json!({ "query": PDP, "operationName": "Pdp", "variables": { "slug": slug } });
            let headers = [("content-type", "application/json"), ("x-techpotli-debug", "plan")];
            let answer = guest.post(asked.to_string(), &headers).await?.json()?;
            ensure!(answer["data"]["product"]["title"].is_string(), "no page: {answer}");
            let fetches = list(&answer["extensions"]["debug"]["fetches"])?;
            ensure!(fetches.len() > 4, "the page is not made of much: {answer}");
            Ok(fetches.iter().all(|fetch| fetch["sql"] == 0).then_some(()))
        }
    })
    .await
}

/// To be called when flows have changed much of what `shop` remembers.
pub async fn holds(shop: &OneProcess) -> anyhow::Result<()> {
    let stage = shop.stage();
    let slugs: Vec<String> = (0..WORLD.products).map(|number| WORLD.product(number).slug).collect();
    // Before the other is there: what it writes would have this one forget.
    let mut remembered = Vec::new();
    for slug in &slugs {
        remembered.push(page(&stage.guest, slug).await?);
    }
    let mut command = with_settings(shop.folder.path());
    command.env("TECHPOTLI_WARM_UP", "false");
    let other = Process::start(command).await?;
    let elsewhere = Stage { guest: Client::guest(&other.base), ..Stage::clone(&stage) };
    for (slug, remembered) in slugs.iter().zip(remembered) {
        let read = page(&elsewhere.guest, slug).await?;
        ensure!(!read.is_null(), "there is no page of {slug}");
        same(&format!("what is remembered of {slug}"), &remembered, read)?;
    }
    let good = stage.good()?;
    let input = json!({ "id": good.product_id, "slug": good.slug, "title": "Named elsewhere" });
    elsewhere.demo("catalog_manager").await?.client.done(UPSERT, "Upsert", input).await?;
    eventually("the name that another process has given", || async {
        let title = page(&stage.guest, &good.slug).await?["title"].take();
        Ok((title == "Named elsewhere").then_some(()))
    })
    .await
}
