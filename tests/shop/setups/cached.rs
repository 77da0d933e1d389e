//! How many of the storefront's questions the search engine is not asked, because it has answered them before.

use anyhow::{Context as _, ensure};
use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde_json::{Value, json};

use super::Fleet;
use crate::client::Client;
use crate::operations::{HOME, PLP, SUGGEST};
use crate::shopper::Cart;
use crate::template::WORLD;

const REQUESTS: usize = 1_500;
const AT_ONCE: usize = 4;
/// Orders between the requests of the second round; each changes what is sold best, and so what the engine answers.
const ORDERS: usize = 6;

/// Pages of a storefront, what is asked for most first.
fn pages() -> Vec<(&'static str, &'static str, Value)> {
    let mut pages = vec![(HOME, "Home", json!({})), (PLP, "Plp", json!({}))];
    for number in 0..12 {
        let product = WORLD.product(20 + number);
        let word = product.texts[0].1.split(' ').next().unwrap_or("lamp").to_owned();
        let start: String = word.chars().take(3).collect();
        let category = WORLD.category_id(product.category).to_string();
        pages.push((PLP, "Plp", json!({ "f": { "categoryId": category } })));
        pages.push((SUGGEST, "Suggest", json!({ "q": start })));
        pages.push((PLP, "Plp", json!({ "q": word })));
        pages.push((PLP, "Plp", json!({ "q": word, "f": { "inStockOnly": true } })));
    }
    pages
}

/// Places in a list of this length: the one at place n comes 1/(n + 1) times as often as the first (Zipf's law).
fn draws(length: usize) -> impl Iterator<Item = usize> {
    let whole: f64 = (1..=length).map(|rank| 1.0 / rank as f64).sum();
    let mut state: u64 = 0x2545_f491_4f6c_dd1d;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut left = (state >> 11) as f64 / (1_u64 << 53) as f64 * whole;
        (1..length)
            .find(|rank| {
                left -= 1.0 / *rank as f64;
                left < 0.0
            })
            .unwrap_or(length)
            - 1
    })
}

/// Requests to the cache by how they ended.
async fn counted(fleet: &Fleet) -> anyhow::Result<(f64, f64)> {
    let text = Client::guest(fleet.subgraphs.base("search")?).get("/metrics", &[]).await?.text;
    let (mut all, mut found) = (0.0, 0.0);
    for line in text.lines().filter(|line| line.starts_with("techpotli_cache_requests_total")) {
        let count: f64 = line.rsplit_once(' ').context("a number")?.1.parse()?;
        all += count;
        if line.contains("\"hit\"") || line.contains("\"waited\"") {
            found += count;
        }
    }
    Ok((all, found))
}

/// Asks for pages by their popularity, and prints how many questions were answered without the engine: first while
/// nothing changes, then while people buy.
pub async fn most_questions_are_answered(fleet: &Fleet) -> anyhow::Result<()> {
    let (stage, pages) = (&fleet.stage, pages());
    for orders in [0, ORDERS] {
        let before = counted(fleet).await?;
        let asked: Vec<usize> = draws(pages.len()).take(REQUESTS).collect();
        for part in asked.chunks(REQUESTS / (orders + 1)) {
            iter(part)
                .map(|place| {
                    let (document, operation, variables) = pages[*place].clone();
                    async move { stage.guest.data(document, operation, variables).await.map(drop) }
                })
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            if orders > 0 {
                let email = format!("{}@example.com", stage.fresh("guest"));
                let cart = Cart::of_guest(stage, &email, &[(&stage.good()?, 1)]).await?;
                cart.buy(stage, &stage.guest).await?;
            }
        }
        let after = counted(fleet).await?;
        let (all, found) = (after.0 - before.0, after.1 - before.1);
        let share = 100.0 * found / all;
        println!(
            "{REQUESTS} pages, {orders} orders: {all} questions, {share:.1}% answered without the engine"
        );
        ensure!(all >= REQUESTS as f64, "{all} questions");
        ensure!(orders > 0 || share > 90.0, "{share:.1}% are too few");
    }
    Ok(())
}
