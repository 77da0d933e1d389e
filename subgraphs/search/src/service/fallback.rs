//! Searching while the engine is away: words by their beginnings in the database, everything else in the picture.

use std::collections::{BTreeSet, HashMap};

use common::Fault;
use common::id::ProductId;
use database::{Database, ScopedFutureExt, Tx};
use events::products::ProductSnapshot;

use super::finder::{Answer, Asking, Finder, Suggested};
use crate::domain::{find, tokens};
use crate::entity::{document, index_state, word};

/// Words of a query that count.
const MOST_WORDS: usize = 12;
/// Products that match a text at the most.
const MOST_MATCHES: u64 = 10_000;
/// Products whose words are written at once.
const BATCH: u64 = 200;

impl Finder {
    /// Searches the database: every word must be the beginning of one of a product's words. Nothing is corrected.
    pub(super) async fn search_database(&self, asking: &Asking) -> Result<Answer, Fault> {
        let picture = self.picture().await?;
        let words = asking.text().map(tokens);
        let scores = match &words {
            Some(words) => Some(self.scores(words).await?),
            None => None,
        };
        let found = find(&picture, &asking.asked(scores.as_ref()))?;
        Ok(Answer {
            found,
            words: words.unwrap_or_default(),
            corrected: None,
            facets: picture.facets.clone(),
            degraded: true,
        })
    }

    /// Suggests what begins so in the database.
    pub(super) async fn suggest_database(
        &self,
        text: &str,
        count: usize,
        context: &auth::ShopContext,
    ) -> Result<Vec<Suggested>, Fault> {
        let scores = self.scores(&tokens(text)).await?;
        Ok(self.suggest_from(&*self.picture().await?, text, &scores, count, context))
    }

    /// The products that match, what sells best first.
    async fn scores(&self, words: &[String]) -> Result<HashMap<ProductId, f32>, Fault> {
        let picture = self.picture().await?;
        let beginnings: Vec<String> = words.iter().take(MOST_WORDS).map(|word| shortened(word)).collect();
        let found = word::products_with(self.ports.database.read(), &beginnings, MOST_MATCHES).await?;
        let sold = |id: &ProductId| picture.entries.get(id).map_or(0, |entry| entry.units_sold);
        Ok(found.into_iter().map(|id| (id, 1.0 + (sold(&id).max(0) as f32).ln_1p() / 200.0)).collect())
    }
}

/// Keeps the words of a product, as part of `tx`.
pub async fn keep_words(tx: &Tx, product: &ProductSnapshot) -> Result<(), Fault> {
    Ok(word::replace(tx, vec![product.id], words_of(product)).await?)
}

/// Writes the words of all products, where that is not done.
pub(super) async fn fill_words(database: &Database) -> Result<(), Fault> {
    if index_state::read(database.schema(), index_state::WORDS).await?.is_some() {
        return Ok(());
    }
    let mut after = None;
    loop {
        let page = document::page(database.schema(), after, BATCH).await?;
        let Some(last) = page.last().copied() else { break };
        let page = &page;
        database
            .transaction(|tx| {
                async move {
                    // Read as a writer reads: an event between reading and writing would be undone.
                    let mut words = Vec::new();
                    for row in document::by_ids_locked(tx, page.clone()).await? {
                        let product = serde_json::from_str(&row.product).map_err(Fault::internal)?;
                        words.extend(words_of(&product));
                    }
                    Ok::<_, Fault>(word::replace(tx, page.clone(), words).await?)
                }
                .scope_boxed()
            })
            .await?;
        after = Some(last);
    }
    Ok(index_state::write(database.schema(), index_state::WORDS, "yes").await?)
}

/// What a product is found by: titles, brand, category, and stock keeping units.
fn words_of(product: &ProductSnapshot) -> Vec<word::Model> {
    let titles = product.titles.iter().map(|title| &title.text);
    let category = product.category.iter().map(|category| &category.name);
    let codes = product.variants.iter().map(|variant| &variant.sku);
    let texts = titles.chain(&product.brand).chain(category).chain(codes);
    let words: BTreeSet<String> = texts.flat_map(|text| tokens(text)).map(|word| shortened(&word)).collect();
    words.into_iter().map(|word| word::Model { word, product_id: product.id }).collect()
}

fn shortened(word: &str) -> String {
    word.chars().take(word::LONGEST).collect()
}
