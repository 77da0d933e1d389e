//! A question as the engine is asked it.
//!
//! A score is made of steps and not of statistics: per word the best field that has it, and at the end a little for what
//! sells. So it depends on the document alone. It is the same on every copy of a shard, and a page by `search_after`
//! goes on where the last one ended without anything being kept open on the engine.

use std::collections::BTreeSet;

use common::id::ProductId;
use common::{Fault, PageArgs};
use serde_json::{Value, json};

use super::documents::{filter_term, price_field};
use super::indices::LANGUAGES;
use crate::domain::{Asked, FacetFilter, MOST_BUCKETS, Sort};

/// Words of a query that count.
const MOST_WORDS: usize = 12;
/// The place of products without a price, as in `domain::query`.
const NO_PRICE: i64 = i64::MAX >> 1;
/// Different facets that are counted at the most.
const MOST_FACETS: usize = 200;

/// A question.
pub struct EngineQuery<'a> {
    /// What is looked for; nothing for everything.
    pub words: Option<&'a [String]>,
    /// Everything else; its scores are not looked at.
    pub asked: &'a Asked<'a>,
}

impl EngineQuery<'_> {
    /// The body of `_search`.
    pub fn body(&self) -> Result<Value, Fault> {
        let asked = self.asked;
        let mut filters = self.filters();
        let mut body = json!({
            "size": asked.page.first + 1,
            "track_total_hits": true,
            "track_scores": self.words.is_some(),
            "_source": ["stored"],
            "sort": [self.order(), { "id": "asc" }],
        });
        let facets: Vec<Value> = asked.facets.iter().map(facet).collect();
        if asked.counted {
            body["aggs"] = self.counts(&facets);
            body["post_filter"] = json!({ "bool": { "filter": facets } });
        } else {
            filters.extend(facets);
        }
        body["query"] = match self.words {
            Some(words) => scored(words, &filters),
            None => json!({ "bool": { "filter": filters } }),
        };
        if let Some(after) = self.after(asked.page)? {
            body["search_after"] = after;
        }
        Ok(body)
    }

    /// Everything but the facets.
    fn filters(&self) -> Vec<Value> {
        let asked = self.asked;
        let mut filters = visible(asked.channel);
        if let Some(category) = asked.category {
            filters.push(json!({ "term": { "categories": category } }));
        }
        if asked.in_stock_only {
            filters.push(json!({ "term": { "in_stock": true } }));
        }
        let field = price_field(asked.currency);
        for (bound, minor) in [("gte", asked.price.min), ("lte", asked.price.max)] {
            if let Some(minor) = minor {
                filters.push(json!({ "range": { &field: { bound: minor } } }));
            }
        }
        filters
    }

    fn by_score(&self) -> bool {
        self.asked.sort == Sort::Relevance && self.words.is_some()
    }

    fn order(&self) -> Value {
        let price = |order: &str| {
            json!({ price_field(self.asked.currency): {
                "order": order, "missing": NO_PRICE, "unmapped_type": "long",
            } })
        };
        match self.asked.sort {
            Sort::Relevance if self.words.is_some() => json!("_score"),
            Sort::Relevance | Sort::BestSelling => json!({ "units_sold": "desc" }),
            Sort::PriceAsc => price("asc"),
            Sort::PriceDesc => price("desc"),
            Sort::Newest => json!({ "created_at": "desc" }),
            Sort::Rating => json!({ "rating": "desc" }),
        }
    }

    /// The rank of a hit, as `domain::query` ranks: the larger the earlier.
    pub fn rank(&self, sort: &Value) -> Option<i64> {
        if self.by_score() {
            // The bits of positive floats are ordered as the floats are, and lose nothing.
            return sort.as_f64().map(|score| i64::from((score as f32).to_bits()));
        }
        let number = sort.as_i64()?;
        Some(if self.asked.sort == Sort::PriceAsc { -number } else { number })
    }

    fn after(&self, page: &PageArgs) -> Result<Option<Value>, Fault> {
        let Some(cursor) = &page.after else { return Ok(None) };
        let (rank, id): (i64, ProductId) = (cursor.key(0, 2)?, cursor.key(1, 2)?);
        let sort = if self.by_score() {
            json!(f32::from_bits(u32::try_from(rank).unwrap_or(0)))
        } else {
            json!(if self.asked.sort == Sort::PriceAsc { rank.saturating_neg() } else { rank })
        };
        Ok(Some(json!([sort, id])))
    }

    /// One count for all facets that nobody filters by, and one for each that somebody does, without its own filter.
    fn counts(&self, facets: &[Value]) -> Value {
        let buckets = json!({
            "value": { "terms": { "field": "facet.value", "size": MOST_BUCKETS } },
            "label": { "terms": { "field": "facet.label", "size": 1 } },
        });
        let keyed = json!({ "terms": { "field": "facet.key", "size": MOST_FACETS }, "aggs": buckets });
        let count = |filters: Vec<&Value>, inner: Value| {
            json!({
                "filter": { "bool": { "filter": filters } },
                "aggs": { "each": { "nested": { "path": "facet" }, "aggs": inner } },
            })
        };
        let mut counts = json!({ "all": count(facets.iter().collect(), json!({ "key": keyed })) });
        for (place, key) in self.filtered().into_iter().enumerate() {
            let others = self.asked.facets.iter().zip(facets);
            let others = others.filter(|(filter, _)| filter.key != key).map(|(_, query)| query).collect();
            let own = json!({ "key": {
                "terms": { "field": "facet.key", "include": [key] }, "aggs": buckets,
            } });
            counts[format!("own_{place}")] = count(others, own);
        }
        counts
    }

    /// The keys that somebody filters by, in the order of their counts.
    pub fn filtered(&self) -> BTreeSet<&str> {
        self.asked.facets.iter().map(|filter| filter.key.as_str()).collect()
    }
}

/// What shoppers of a channel see.
fn visible(channel: &str) -> Vec<Value> {
    vec![
        json!({ "term": { "active": true } }),
        json!({ "bool": { "must_not": { "term": { "hidden_in": channel } } } }),
    ]
}

/// Products with one of the values; with any at all where none is named.
fn facet(filter: &FacetFilter) -> Value {
    let FacetFilter { key, values } = filter;
    match values.is_empty() {
        true => json!({ "nested": { "path": "facet", "query": { "term": { "facet.key": key } } } }),
        false => {
            let terms: Vec<String> = values.iter().map(|value| filter_term(key, value)).collect();
            json!({ "terms": { "filter": terms } })
        }
    }
}

fn scored(words: &[String], filters: &[Value]) -> Value {
    json!({ "function_score": {
        "query": { "bool": { "must": [text(words)], "filter": filters } },
        "field_value_factor": { "field": "popularity", "missing": 0 },
        "boost_mode": "sum",
    } })
}

/// Products that have all of the words, the last one perhaps only begun; or synonyms of all together.
pub fn text(words: &[String]) -> Value {
    let words = &words[..words.len().min(MOST_WORDS)];
    let last = words.len().saturating_sub(1);
    let each: Vec<Value> = words
        .iter()
        .enumerate()
        .map(|(place, word)| {
            // One letter alone begins too many words; behind others it narrows them down.
            word_anywhere(word, place == last && (last > 0 || word.chars().count() >= 2))
        })
        .collect();
    if words.is_empty() {
        return json!({ "match_none": {} });
    }
    let together: Vec<Value> = LANGUAGES
        .iter()
        .filter(|_| words.len() > 1)
        .map(|language| {
            let field = format!("title.{}", language.code);
            let all = json!({ "match": { field: { "query": words.join(" "), "operator": "and" } } });
            step(all, 2.5 * words.len() as f64)
        })
        .collect();
    let each = json!({ "bool": { "must": each } });
    let queries = [vec![each], together].concat();
    json!({ "dis_max": { "queries": queries } })
}

/// A word in any field, the title counting most.
fn word_anywhere(word: &str, begun: bool) -> Value {
    let mut fields = vec![("title.all", 4.0), ("code", 2.0), ("rest", 1.0), ("rest.en", 0.8)];
    let languages: Vec<String> =
        LANGUAGES.iter().map(|language| format!("title.{}", language.code)).collect();
    fields.extend(languages.iter().map(|field| (field.as_str(), 3.0)));
    if begun {
        fields.push(("title.all.begun", 0.5));
    }
    let queries: Vec<Value> =
        fields.into_iter().map(|(field, boost)| step(json!({ "match": { field: word } }), boost)).collect();
    json!({ "dis_max": { "queries": queries } })
}

fn step(filter: Value, boost: f64) -> Value {
    json!({ "constant_score": { "filter": filter, "boost": boost } })
}

/// The body of `_search` that says whether anything has the words.
pub fn any(words: &[String]) -> Value {
    json!({ "size": 0, "track_total_hits": 1, "query": text(words) })
}

/// The same, and what they may have been meant to be: one edit for
/// four letters or more, two for eight or more, as in the index in memory.
pub fn spelling(words: &[String]) -> Value {
    let mut suggest = json!({});
    for (place, word) in words.iter().take(MOST_WORDS).enumerate() {
        let edits = match word.chars().count() {
            0..=3 => continue,
            4..=7 => 1,
            _ => 2,
        };
        suggest[place.to_string()] = json!({ "text": word, "term": {
            "field": "vocabulary", "analyzer": "exact", "size": 1, "suggest_mode": "missing",
            "max_edits": edits, "prefix_length": 0, "min_word_length": 4,
        } });
    }
    let mut body = any(words);
    body["suggest"] = suggest;
    body
}

/// The body of `_search` for what somebody may mean who has typed this much.
pub fn suggestions(words: &[String], channel: &str, count: usize) -> Value {
    let typed = words.last().map_or("", String::as_str);
    json!({
        "size": count,
        "_source": ["stored"],
        "query": scored(words, &visible(channel)),
        "sort": ["_score", { "id": "asc" }],
        "aggs": { "whole": { "global": {}, "aggs": { "named": {
            "filter": { "bool": { "filter": [
                { "term": { "active": true } }, { "match": { "category_name": typed } },
            ] } },
            "aggs": { "category": {
                "terms": { "field": "category", "size": count, "order": { "best": "desc" } },
                "aggs": { "best": { "max": { "field": "units_sold" } } },
            } },
        } } } },
    })
}
