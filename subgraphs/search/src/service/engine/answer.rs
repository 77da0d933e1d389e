//! What the engine answers, in our words.

use std::collections::HashMap;
use std::sync::Arc;

use common::Cursor;
use common::id::CategoryId;
use serde::Deserialize as _;
use serde_json::Value;

use super::documents::{Stored, UNIT};
use super::query::{self, EngineQuery};
use super::{Engine, EngineError};
use crate::domain::{Entry, FacetCount, Facets, Found, Hit, MOST_BUCKETS, matched_variant};

/// Categories and products that somebody may mean.
pub struct Meant {
    /// Categories, the best first.
    pub categories: Vec<(CategoryId, String)>,
    /// Products, the best first.
    pub products: Vec<Arc<Entry>>,
}

impl Engine {
    /// Searches.
    pub async fn search(
        &self,
        query: &EngineQuery<'_>,
        body: &Value,
    ) -> Result<(Found, Facets), EngineError> {
        let said = self.ask(&format!("/{}/_search", self.alias()), body).await?;
        read(query, &said)
    }

    /// The words that were meant by those that nothing has; `None` where something has them, or none is known that is
    /// near.
    pub async fn corrected(&self, words: &[String]) -> Result<Option<Vec<String>>, EngineError> {
        let said = self.ask(&format!("/{}/_search", self.alias()), &query::spelling(words)).await?;
        if said["hits"]["total"]["value"] != 0 {
            return Ok(None);
        }
        let corrected: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(place, word)| {
                let best = &said["suggest"][place.to_string()][0]["options"][0]["text"];
                best.as_str().unwrap_or(word).to_owned()
            })
            .collect();
        Ok((corrected != words).then_some(corrected))
    }

    /// Whether any product has these words, whoever sees it.
    pub async fn has(&self, words: &[String]) -> Result<bool, EngineError> {
        let said = self.ask(&format!("/{}/_search", self.alias()), &query::any(words)).await?;
        Ok(said["hits"]["total"]["value"] != 0)
    }

    /// What somebody may mean who has typed this much.
    pub async fn suggest(&self, words: &[String], channel: &str, count: usize) -> Result<Meant, EngineError> {
        let body = query::suggestions(words, channel, count);
        let said = self.ask(&format!("/{}/_search", self.alias()), &body).await?;
        let mut facets = Facets::default();
        let products: Result<Vec<_>, EngineError> =
            hits(&said)?.iter().map(|hit| Ok(Arc::new(stored(hit)?.entry(&mut facets)))).collect();
        let named = &said["aggregations"]["whole"]["named"]["category"]["buckets"];
        let categories = named.as_array().into_iter().flatten().filter_map(|bucket| {
            let (id, name) = bucket["key"].as_str()?.split_once(UNIT)?;
            Some((id.parse().ok()?, name.to_owned()))
        });
        Ok(Meant { categories: categories.collect(), products: products? })
    }
}

fn read(query: &EngineQuery<'_>, said: &Value) -> Result<(Found, Facets), EngineError> {
    let mut facets = Facets::default();
    let mut found_hits = Vec::new();
    for hit in hits(said)? {
        let entry = Arc::new(stored(hit)?.entry(&mut facets));
        let rank = query.rank(&hit["sort"][0]).ok_or_else(|| malformed("a hit has no sort value"))?;
        found_hits.push(Hit {
            variant: matched_variant(&entry, query.asked.facets),
            score: hit["_score"].as_f64().unwrap_or_default() as f32,
            cursor: Cursor::new(&[&rank, &entry.product.id]).encode(),
            entry,
        });
    }
    let total = said["hits"]["total"]["value"].as_u64().ok_or_else(|| malformed("there is no total"))?;
    let counted = counts(query, &said["aggregations"], &mut facets);
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    Ok((Found { hits: found_hits, total, facets: counted }, facets))
}

fn counts(query: &EngineQuery<'_>, said: &Value, facets: &mut Facets) -> Vec<(usize, Vec<FacetCount>)> {
    let keys = |count: &str| said[count]["each"]["key"]["buckets"].as_array().into_iter().flatten();
    let filtered = query.filtered();
    let own = (0..filtered.len()).map(|place| format!("own_{place}"));
    let own: Vec<&Value> = own.flat_map(|count| keys(&count).collect::<Vec<_>>()).collect();
    let others = keys("all").filter(|key| !key["key"].as_str().is_some_and(|key| filtered.contains(key)));
    let mut found: Vec<(String, usize, Vec<FacetCount>)> = Vec::new();
    for said in others.chain(own) {
        let key = said["key"].as_str().unwrap_or_default();
        let label = said["label"]["buckets"][0]["key"].as_str().unwrap_or(key);
        let mut counted: Vec<FacetCount> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for bucket in said["value"]["buckets"].as_array().into_iter().flatten() {
            let Some((value, shown)) = bucket["key"].as_str().and_then(|key| key.split_once(UNIT)) else {
                continue;
            };
            let number = facets.number(key, label, value, shown);
            let count =
                bucket["doc_count"].as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(i32::MAX);
            // One value under two names, as after a category was renamed, is two buckets there and one here.
            if let Some(place) = places.get(&number) {
                counted[*place].count = counted[*place].count.saturating_add(count);
                continue;
            }
            places.insert(number, counted.len());
            let selected = query
                .asked
                .facets
                .iter()
                .any(|filter| filter.key == key && filter.values.iter().any(|one| one == value));
            counted.push(FacetCount { value: number, count, selected });
        }
        let text = |count: &FacetCount| facets.values()[count.value as usize].value.as_str();
        counted.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| text(one).cmp(text(other))));
        counted.truncate(MOST_BUCKETS);
        if let Some(facet) = facets.find(key) {
            found.push((key.to_owned(), facet, counted));
        }
    }
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    found.into_iter().map(|(_, facet, counted)| (facet, counted)).collect()
}

fn hits(said: &Value) -> Result<&Vec<Value>, EngineError> {
    said["hits"]["hits"].as_array().ok_or_else(|| malformed("there are no hits"))
}

fn stored(hit: &Value) -> Result<Stored, EngineError> {
    Stored::deserialize(&hit["_source"]["stored"]).map_err(|error| EngineError::Answer(error.to_string()))
}

fn malformed(what: &str) -> EngineError {
    EngineError::Answer(what.to_owned())
}
