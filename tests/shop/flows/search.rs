//! Searching: operation 03.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use common::Currency;
use serde_json::{Value, json};

use super::Flow;
use super::browse::known;
use crate::client::{list, number, same, text};
use crate::operations::PLP;
use crate::stage::Stage;
use crate::template::WORLD;

pub const FLOWS: &[Flow] = &[
    ("a listing goes through all products page by page", |stage| Box::pin(pages(stage))),
    ("a facet counts what choosing it then shows", |stage| Box::pin(facets(stage))),
    ("a search finds titles, with a typo too", |stage| Box::pin(finds(stage))),
    ("prices and stock filter a listing", |stage| Box::pin(filters(stage))),
];

async fn search(stage: &Stage, variables: Value) -> anyhow::Result<Value> {
    let mut answer = stage.guest.ask(PLP, Some("Plp"), variables).await?.json()?;
    ensure!(answer.get("errors").is_none(), "{answer}");
    // An answer of less than the engine would hide what is wrong with it.
    ensure!(answer.get("extensions").is_none(), "it could be better: {}", answer["extensions"]);
    Ok(answer["data"]["search"].take())
}

fn slugs(page: &Value) -> anyhow::Result<Vec<String>> {
    list(&page["edges"])?.iter().map(|edge| Ok(text(&edge["product"]["slug"])?.to_owned())).collect()
}

async fn pages(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (mut seen, mut after) = (HashSet::new(), Value::Null);
    for page in 0.. {
        let shown = search(&stage, json!({ "after": after })).await?;
        same("how many there are", &shown["totalCount"], WORLD.products)?;
        ensure!(number(&shown["tookMs"])? >= 0, "took {}", shown["tookMs"]);
        let slugs = slugs(&shown)?;
        let expected = (WORLD.products as usize - 24 * page).min(24);
        ensure!(slugs.len() == expected, "{} on page {page}", slugs.len());
        for slug in slugs {
            ensure!(seen.insert(slug.clone()), "{slug} stands on two pages");
        }
        same("the end", &shown["pageInfo"]["endCursor"], shown["edges"][expected - 1]["cursor"].clone())?;
        if shown["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = shown["pageInfo"]["endCursor"].clone();
    }
    ensure!(seen.len() == WORLD.products as usize, "{} in all", seen.len());
    Ok(())
}

async fn facets(stage: Arc<Stage>) -> anyhow::Result<()> {
    let all = search(&stage, json!({})).await?;
    let brands =
        list(&all["facets"])?.iter().find(|facet| facet["key"] == "brand").context("a facet of brands")?;
    let bucket = &list(&brands["buckets"])?[0];
    let brand = text(&bucket["value"])?;
    let expected = (0..WORLD.products).filter(|number| WORLD.product(*number).brand == brand).count();
    same("products of the brand", &bucket["count"], expected)?;
    same("not chosen", &bucket["selected"], false)?;
    let chosen =
        search(&stage, json!({ "f": { "facets": [{ "key": "brand", "values": [brand] }] } })).await?;
    same("products shown", &chosen["totalCount"], expected)?;
    for slug in slugs(&chosen)? {
        ensure!(known(&slug)?.brand == brand, "{slug} is not by {brand}");
    }
    let brands =
        list(&chosen["facets"])?.iter().find(|facet| facet["key"] == "brand").context("the facet stays")?;
    let bucket = list(&brands["buckets"])?
        .iter()
        .find(|bucket| bucket["value"] == brand)
        .context("the bucket stays")?;
    same("chosen", &bucket["selected"], true)?;
    ensure!(list(&brands["buckets"])?.len() > 1, "other brands cannot be chosen any more: {brands}");
    Ok(())
}

async fn finds(stage: Arc<Stage>) -> anyhow::Result<()> {
    let product = WORLD.product(17);
    let title = &product.texts[0].1;
    let exact = search(&stage, json!({ "q": title })).await?;
    ensure!(slugs(&exact)?.first() == Some(&product.slug), "for '{title}': {:?}", slugs(&exact)?);
    let hit = &exact["edges"][0];
    let variant =
        product.variants.iter().position(|variant| hit["matchedVariant"]["sku"] == variant.sku.as_str());
    let variant = variant.with_context(|| format!("the matched variant is none of the product's: {hit}"))?;
    let price = WORLD.price(product.number, u32::try_from(variant)?, Currency::USD).list.minor;
    let unit = number(&hit["matchedVariant"]["buyerPrice"]["unit"]["amountMinor"])?;
    ensure!(0 < unit && unit <= price, "{unit} for what costs {price}");
    let (reviews, rating) = (WORLD.reviews(product.number), &hit["product"]["ratingAverage"]);
    match reviews.len() {
        0 => same("unrated", rating, Value::Null)?,
        count => {
            let mean = f64::from(reviews.iter().map(|review| review.rating).sum::<i32>()) / count as f64;
            ensure!((rating.as_f64().context("a rating")? - mean).abs() < 0.01, "{rating} for {mean}");
        }
    }
    // One letter of the brand is doubled.
    let (first, rest) = title.split_at(3);
    let typo = format!("{first}{}", &title[2..2 + rest.len() + 1]);
    let shown = search(&stage, json!({ "q": typo })).await?;
    ensure!(slugs(&shown)?.contains(&product.slug), "for '{typo}': {shown}");
    let nothing = search(&stage, json!({ "q": "qqzzxxjj" })).await?;
    same("for nonsense", &nothing["totalCount"], 0)
}

async fn filters(stage: Arc<Stage>) -> anyhow::Result<()> {
    let lowest = |number: u32| {
        let variants = 0..WORLD.variant_count(number);
        variants.map(|variant| WORLD.price(number, variant, Currency::USD).list.minor).min().unwrap_or(0)
    };
    let (least, most) = (3_000, 6_000);
    let expected = (0..WORLD.products).filter(|number| (least..=most).contains(&lowest(*number))).count();
    let filter = json!({ "price": { "minMinor": least, "maxMinor": most } });
    let shown = search(&stage, json!({ "f": filter })).await?;
    same("between 30 and 60 dollars", &shown["totalCount"], expected)?;
    ensure!(expected > 0, "the seeded world has nothing between 30 and 60 dollars");
    let category = WORLD.category_id(0).to_string();
    let shown = search(&stage, json!({ "f": { "categoryId": category, "inStockOnly": true } })).await?;
    for edge in list(&shown["edges"])? {
        ensure!(known(text(&edge["product"]["slug"])?)?.category == 0, "{edge} is no furniture");
        ensure!(edge["product"]["availability"]["status"] != "OUT_OF_STOCK", "{edge} is sold out");
    }
    ensure!(!list(&shown["edges"])?.is_empty(), "no furniture in stock");
    Ok(())
}
