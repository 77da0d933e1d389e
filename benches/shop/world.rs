//! What is asked for: documents and variables over the demo world.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use seed::World;
use serde_json::{Value, json};

use crate::client::Operation;

/// Pages, words and variants of the demo shop. The first of each are asked for again and again (warm), the others once.
pub struct Asked {
    home: Operation,
    listing: Operation,
    suggest: Operation,
    product: Operation,
    titles: Vec<String>,
}

/// How many different requests make up a warm measurement.
const WARM: usize = 20;
/// How many requests warm a process up for as many others; half of all listings.
const APART: usize = 12;
/// Products whose pages are asked for warm, cold, and whose variants are bought.
const WARM_PRODUCTS: u32 = 100;
const COLD_PRODUCTS: u32 = 300;
const BOUGHT_PRODUCTS: u32 = 500;

/// The queries that are measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Query {
    Home,
    Listing,
    Text,
    Suggest,
    Product,
}

impl Asked {
    pub fn read() -> anyhow::Result<Self> {
        let titles = (1..=400).map(|number| World::DEMO.product(number).texts[0].1.clone());
        Ok(Self {
            home: Operation::read("02_home", "Home")?,
            listing: Operation::read("03_plp", "Plp")?,
            suggest: Operation::read("04_suggest", "Suggest")?,
            product: Operation::read("05_pdp", "Pdp")?,
            titles: titles.collect(),
        })
    }

    /// Requests that come again and again.
    pub fn warm(&self, query: Query) -> Vec<Bytes> {
        (0..WARM).map(|place| self.body(query, place, WARM_PRODUCTS)).collect()
    }

    /// Requests that nobody has made before, after those of [`Asked::warm`]; few for the home page, which is always the
    /// same, and fewer than asked for where there are no more words.
    pub fn cold(&self, query: Query, count: usize) -> Vec<Bytes> {
        if query == Query::Home {
            return vec![self.body(query, 0, COLD_PRODUCTS)];
        }
        let mut seen: HashSet<Bytes> = self.warm(query).into_iter().collect();
        let bodies = (WARM..WARM + count).map(|place| self.body(query, place, COLD_PRODUCTS));
        bodies.filter(|body| seen.insert(body.clone())).collect()
    }

    /// Requests to warm a process up with, and others about products that it has seen nothing of then; none of the latter
    /// for the home page, which is always the same.
    pub fn apart(&self, query: Query) -> (Vec<Bytes>, Vec<Bytes>) {
        let bodies =
            |places: Range<usize>| places.map(|place| self.body(query, place, COLD_PRODUCTS)).collect();
        let apart = if query == Query::Home { 0 } else { APART };
        let (others, mut unseen): (Vec<Bytes>, Vec<Bytes>) = (bodies(0..APART), bodies(APART..APART + apart));
        unseen.retain(|body| !others.contains(body));
        (others, unseen)
    }

    fn body(&self, query: Query, place: usize, products: u32) -> Bytes {
        let title = &self.titles[place * 7 % self.titles.len()];
        match query {
            Query::Home => self.home.body(json!({})),
            Query::Listing => self.listing.body(json!({ "f": part_of_a_category(place) })),
            Query::Text => {
                let word = title.split(' ').nth(1 + place % 2).unwrap_or(title);
                self.listing.body(json!({ "q": word, "f": { "inStockOnly": true } }))
            }
            Query::Suggest => {
                let prefix: String = title.chars().take(3 + place % 4).collect();
                self.suggest.body(json!({ "q": prefix }))
            }
            Query::Product => {
                let number = products + u32::try_from(place).unwrap_or(0);
                self.product.body(json!({ "slug": World::DEMO.product(number).slug }))
            }
        }
    }
}

/// The dearer or the cheaper part of a category: halves of all at first, which have no product in common, then other
/// parts.
fn part_of_a_category(place: usize) -> Value {
    let categories = seed::CATEGORIES.len();
    let category = place % categories;
    let (half, step) = (place / categories % 2, place / categories / 2);
    let bound =
        seed::CATEGORIES[category].2 as i64 * [100, 96, 104, 92, 108, 88, 112, 84, 116, 80][step % 10] / 100;
    let price = if half == 0 { json!({ "minMinor": bound }) } else { json!({ "maxMinor": bound }) };
    json!({ "categoryId": World::DEMO.category_id(category).to_string(), "price": price, "inStockOnly": true })
}

/// A variant to buy, of which there is plenty; neighbours belong to different products.
pub fn variant(place: usize) -> String {
    static PLENTY: LazyLock<Vec<String>> = LazyLock::new(|| {
        let plenty = |number: &u32| {
            let stock = World::DEMO.stock(*number, 0);
            stock.on_hand.iter().map(|(_, count)| count).sum::<i32>() >= 40
        };
        let bought = (BOUGHT_PRODUCTS..World::DEMO.products).filter(plenty);
        bought.map(|number| World::DEMO.variant_id(number, 0).to_string()).collect()
    });
    PLENTY[place % PLENTY.len()].clone()
}
