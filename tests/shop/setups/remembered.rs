//! What a process remembers of its databases is what they say, also where another process writes to them.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{OneProcess, with_settings};
use crate::client::{Client, same};
use crate::operations::UPSERT;
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

/// To be called when flows have changed much of what `shop` remembers.
pub async fn holds(shop: &OneProcess) -> anyhow::Result<()> {
    let mut command = with_settings(shop.folder.path());
    command.env("TECHPOTLI_WARM_UP", "false");
    let other = Process::start(command).await?;
    let stage = shop.stage();
    let elsewhere = Stage { guest: Client::guest(&other.base), ..Stage::clone(&stage) };
    for number in 0..WORLD.products {
        let slug = WORLD.product(number).slug;
        let (remembered, read) = (page(&stage.guest, &slug).await?, page(&elsewhere.guest, &slug).await?);
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
