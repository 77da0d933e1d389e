//! Looking around: operations 01, 02, 04 and 05.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use common::Currency;
use seed::{CATEGORIES, DEPARTMENTS, SeedProduct};
use serde_json::{Value, json};

use super::Flow;
use crate::client::{list, number, same, text};
use crate::operations::{BOOT, HOME, PDP, SUGGEST};
use crate::stage::Stage;
use crate::template::WORLD;

pub const FLOWS: &[Flow] = &[
    ("the front end boots with channel and categories", |stage| Box::pin(boot(stage))),
    ("the home page shows what sells and can be bought", |stage| Box::pin(home(stage))),
    ("typing a title suggests the product", |stage| Box::pin(suggest(stage))),
    ("a product page shows five subgraphs' part of a product", |stage| Box::pin(product_page(stage))),
    ("a product page takes few fetches and one statement for each entity type", |stage| {
        Box::pin(plan(stage))
    }),
    ("a channel does not show what is hidden in it", |stage| Box::pin(hidden(stage))),
];

/// A product that no flow buys.
const LOOKED_AT: u32 = 14;

async fn boot(stage: Arc<Stage>) -> anyhow::Result<()> {
    let data = stage.guest.data(BOOT, "Boot", json!({})).await?;
    let channel = json!({ "code": "us", "defaultCurrency": "USD", "currencies": ["USD"], "locales": ["en"],
        "pricesIncludeTax": false });
    same("the channel", &data["channel"], channel)?;
    let departments = list(&data["categories"])?;
    ensure!(departments.len() == DEPARTMENTS.len(), "departments: {departments:?}");
    for (place, (shown, (slug, name))) in departments.iter().zip(DEPARTMENTS).enumerate() {
        same("the department", &shown["slug"], slug)?;
        same("its name", &shown["name"], name)?;
        same("its id", &shown["id"], WORLD.department_id(place).to_string())?;
        for (below, (child, (slug, name, _))) in
            list(&shown["children"])?.iter().zip(&CATEGORIES[place * 3..]).enumerate()
        {
            let id = WORLD.category_id(place * 3 + below).to_string();
            same("a category", child, json!({ "id": id, "slug": slug, "name": name }))?;
        }
        ensure!(list(&shown["children"])?.len() == 3, "categories of {slug}: {shown}");
    }
    // The same by GET, as caches like it.
    let query = "/graphql?query=%7Bchannel%7Bcode%7D%7D";
    let answer = stage.guest.get(query, &[("accept", "application/json")]).await?;
    same("by GET", &answer.json()?, json!({ "data": { "channel": { "code": "us" } } }))
}

async fn home(stage: Arc<Stage>) -> anyhow::Result<()> {
    let data = stage.guest.data(HOME, "Home", json!({})).await?;
    text(&data["search"]["searchId"])?;
    let edges = list(&data["search"]["edges"])?;
    ensure!(edges.len() == 12, "{} products", edges.len());
    let mut seen = HashSet::new();
    for edge in edges {
        let shown = &edge["product"];
        let known = known(text(&shown["slug"])?)?;
        same("the id", &shown["id"], known.id.to_string())?;
        same("the title", &shown["title"], known.texts[0].1.clone())?;
        let lowest = known.variants.iter().map(|variant| variant.prices[0].list.minor).min();
        let lowest = lowest.context("a product has variants")?;
        same(
            "the lowest price",
            &shown["priceRange"]["min"],
            json!({ "amountMinor": lowest, "currency": "USD" }),
        )?;
        ensure!(seen.insert(known.number), "{} twice", known.slug);
    }
    let image = text(&edges[0]["product"]["images"][0]["url"])?;
    let path = image.find("/images").or_else(|| image.find('/')).map_or(image, |at| &image[at..]);
    let picture = stage.guest.get(path, &[]).await?;
    ensure!(picture.status == 200 && picture.text.contains("<svg"), "the image {image}: {}", picture.status);
    Ok(())
}

async fn suggest(stage: Arc<Stage>) -> anyhow::Result<()> {
    let product = WORLD.product(LOOKED_AT);
    let typed: String = product.texts[0].1.chars().take(product.texts[0].1.chars().count() - 2).collect();
    let data = stage.guest.data(SUGGEST, "Suggest", json!({ "q": typed })).await?;
    let suggested = list(&data["suggest"])?;
    let found = suggested.iter().find(|one| one["product"]["slug"] == product.slug.as_str());
    let found = found.with_context(|| format!("no {} for '{typed}': {suggested:?}", product.slug))?;
    same("its title", &found["product"]["title"], product.texts[0].1.clone())?;
    let category = stage.guest.data(SUGGEST, "Suggest", json!({ "q": "furni" })).await?;
    let names = list(&category["suggest"])?;
    ensure!(names.iter().any(|one| one["category"]["slug"] == "furniture"), "categories: {names:?}");
    let nothing = stage.guest.data(SUGGEST, "Suggest", json!({ "q": "qqzzxxjj" })).await?;
    same("for nonsense", &nothing["suggest"], json!([]))
}

async fn product_page(stage: Arc<Stage>) -> anyhow::Result<()> {
    let known = WORLD.product(LOOKED_AT);
    let data = stage.guest.data(PDP, "Pdp", json!({ "slug": known.slug })).await?;
    let shown = &data["product"];
    same("id", &shown["id"], known.id.to_string())?;
    same("title", &shown["title"], known.texts[0].1.clone())?;
    same("description", &shown["descriptionHtml"], known.texts[0].2.clone())?;
    same("brand", &shown["brand"], known.brand)?;
    let (slug, name, _) = CATEGORIES[known.category];
    same("category", &shown["category"], json!({ "slug": slug, "name": name }))?;
    for (key, _, value) in &known.attributes {
        let attribute = json!({ "key": key, "value": value });
        ensure!(
            list(&shown["attributes"])?.contains(&attribute),
            "no {attribute} in {}",
            shown["attributes"]
        );
    }
    variants(&known, list(&shown["variants"]["nodes"])?)?;
    let newest = shown["reviews"]["nodes"].as_array().context("reviews")?;
    let written = WORLD.reviews(LOOKED_AT);
    ensure!(newest.len() == written.len().min(5), "{} reviews of {}", newest.len(), written.len());
    for review in newest {
        let author = (0..WORLD.users)
            .map(|user| WORLD.user(user))
            .find(|user| review["author"]["id"] == user.id.to_string());
        let author = author.with_context(|| format!("a stranger's review: {review}"))?;
        same("the author's name", &review["author"]["displayName"], author.display_name)?;
        let seeded =
            written.iter().find(|one| one.author == author.id).context("the author has written one")?;
        same("the rating", &review["rating"], seeded.rating)?;
        same("the text", &review["body"], seeded.body.clone())?;
    }
    text(&shown["recommendations"]["recommendationId"])?;
    let recommended = list(&shown["recommendations"]["products"])?;
    ensure!(!recommended.is_empty(), "nothing is recommended");
    for product in recommended {
        let other = self::known(text(&product["slug"])?)?;
        same("a recommended title", &product["title"], other.texts[0].1.clone())?;
        ensure!(other.number != known.number, "a product recommends itself");
    }
    let nothing = stage.guest.data(PDP, "Pdp", json!({ "slug": "no-such-thing" })).await?;
    same("an unknown slug", &nothing["product"], Value::Null)
}

fn variants(known: &SeedProduct, shown: &[Value]) -> anyhow::Result<()> {
    ensure!(shown.len() == known.variants.len(), "{} variants", shown.len());
    for (place, (shown, variant)) in (0..).zip(shown.iter().zip(&known.variants)) {
        same("the variant", &shown["id"], variant.id.to_string())?;
        same("its sku", &shown["sku"], variant.sku.clone())?;
        let options: Vec<Value> =
            variant.options.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        same("its options", &shown["options"], options)?;
        let list_price = WORLD.price(known.number, place, Currency::USD).list.minor;
        same("its price", &shown["listPrice"], json!({ "amountMinor": list_price, "currency": "USD" }))?;
        let unit = number(&shown["buyerPrice"]["unit"]["amountMinor"])?;
        ensure!(0 < unit && unit <= list_price, "{unit} for what costs {list_price}");
        same("net prices", &shown["buyerPrice"]["taxIncluded"], false)?;
        let stock = WORLD.stock(known.number, place);
        let on_hand: i32 = stock.on_hand.iter().map(|(_, count)| count).sum();
        let status = match (on_hand, stock.backorder) {
            (0, true) => "BACKORDER",
            (0, false) => "OUT_OF_STOCK",
            (1..=5, _) => "LOW_STOCK",
            _ => "IN_STOCK",
        };
        same("its stock", &shown["availability"]["status"], status)?;
        same("how many", &shown["availability"]["quantity"], on_hand)?;
        text(&shown["availability"]["asOf"])?;
    }
    Ok(())
}

async fn plan(stage: Arc<Stage>) -> anyhow::Result<()> {
    let slug = WORLD.product(LOOKED_AT + 1).slug;
    let asked = json!({ "query": PDP, "operationName": "Pdp", "variables": { "slug": slug } }).to_string();
    let headers = [("content-type", "application/json"), ("x-techpotli-debug", "plan")];
    let answer = stage.guest.post(asked, &headers).await?.json()?;
    let debug = &answer["extensions"]["debug"];
    let fetches = list(&debug["fetches"])?;
    ensure!(fetches.len() <= 6, "{} fetches: {debug}", fetches.len());
    ensure!(number(&debug["stages"])? <= 3, "{} stages", debug["stages"]);
    for fetch in fetches {
        // One for each type of entity: product, variant, review and category of the catalogue; offer and promotion of
        // the cart's; the rest have one, or remember.
        let most = match fetch["subgraph"].as_str() {
            Some("products") => 4,
            Some("cart") => 2,
            _ => 1,
        };
        let statements = fetch["sql"].as_i64().unwrap_or(0);
        ensure!(statements <= most, "{statements} statements in one fetch: {fetch}");
        let texts = list(&fetch["statements"])?.len();
        ensure!(i64::try_from(texts)? == statements, "{texts} texts of {statements} statements: {fetch}");
        ensure!(fetch["errors"].as_i64().unwrap_or(0) == 0, "a fetch with errors: {fetch}");
    }
    Ok(())
}

async fn hidden(stage: Arc<Stage>) -> anyhow::Result<()> {
    let number = (0..WORLD.products)
        .find(|number| WORLD.product(*number).hidden_in == ["eu"])
        .context("one is hidden")?;
    let asked = json!({ "query": PDP, "variables": { "slug": WORLD.product(number).slug } }).to_string();
    let in_us = stage.guest.data(PDP, "Pdp", json!({ "slug": WORLD.product(number).slug })).await?;
    same("in the us", &in_us["product"]["id"], WORLD.product_id(number).to_string())?;
    let request = http::Request::post(format!("{}/graphql", stage.guest.base))
        .header("content-type", "application/json")
        .header("x-channel", "eu")
        .body(asked.into_bytes().into())?;
    let in_eu = stage.guest.send(request).await?.json()?;
    same("in the eu", &in_eu, json!({ "data": { "product": null } }))
}

/// The seeded product of this slug.
pub fn known(slug: &str) -> anyhow::Result<SeedProduct> {
    let number = slug.rsplit('-').next().and_then(|number| number.parse().ok());
    let product = WORLD.product(number.with_context(|| format!("{slug} is no seeded product"))?);
    ensure!(product.slug == slug, "{slug} should be {}", product.slug);
    Ok(product)
}
