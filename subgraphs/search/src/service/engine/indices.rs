//! Indices: how they are made, filled, put behind the alias, and removed.

use std::collections::HashMap;

use common::id::ProductId;
use elasticsearch::http::Method;
use serde_json::{Value, json};

use super::documents::{Versioned, bulk_lines};
use super::{Engine, EngineError, WORK_PATIENCE};

/// A language that texts are analysed in.
pub struct Language {
    /// As locales begin with it.
    pub code: &'static str,
    /// Its synonyms, one group a line.
    synonyms: &'static str,
    /// What is done with its words after they are cut and lower-cased.
    filters: &'static [&'static str],
}

/// All of them. Others are found by whole words and beginnings of words.
pub const LANGUAGES: [Language; 3] = [
    Language {
        code: "en",
        synonyms: include_str!("synonyms/en.txt"),
        filters: &["asciifolding", "stemmer_en"],
    },
    Language {
        code: "de",
        synonyms: include_str!("synonyms/de.txt"),
        filters: &["german_normalization", "asciifolding", "stemmer_de"],
    },
    Language {
        code: "ar",
        synonyms: include_str!("synonyms/ar.txt"),
        filters: &["decimal_digit", "arabic_normalization", "stemmer_ar"],
    },
];

/// Rises when documents or their mapping change: an index of an older layout is to be made anew.
pub const LAYOUT: i64 = 1;

/// Where documents go.
#[derive(Debug, Clone, Copy)]
pub enum Into<'i> {
    /// Into whichever index is searched.
    Alias,
    /// Into one that is being built.
    Index(&'i str),
}

/// What became of a bulk request.
#[derive(Debug, Default)]
pub struct Bulk {
    /// Products that the index could not take, and why.
    pub refused: Vec<(ProductId, String)>,
}

impl Engine {
    /// Makes or renews the template that every index of ours is made by.
    pub async fn put_template(&self) -> Result<(), EngineError> {
        let template = json!({
            "index_patterns": [format!("{}-*", self.alias())],
            "priority": 500,
            "template": { "settings": settings(), "mappings": mappings() },
            "_meta": { "layout": LAYOUT },
        });
        let path = format!("/_index_template/{}", self.alias());
        self.work(Method::Put, &path, Some(&template)).await.map(drop)
    }

    /// Makes an index by the template; whether it is there already is no matter.
    pub async fn create(&self, index: &str) -> Result<(), EngineError> {
        match self.work(Method::Put, &format!("/{index}"), None).await {
            Err(EngineError::Refused { status: 400, reason }) if reason.contains("already exists") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Our indices by their numbers, in ascending order, and whether each is behind the alias.
    pub async fn generations(&self) -> Result<Vec<(u64, bool)>, EngineError> {
        let said = self.work(Method::Get, &format!("/{}-*/_alias", self.alias()), None).await?;
        let indices = said.as_object().into_iter().flatten();
        let mut found: Vec<(u64, bool)> = indices
            .filter_map(|(index, about)| {
                let number = index.strip_prefix(self.alias())?.strip_prefix('-')?.parse().ok()?;
                Some((number, about["aliases"].get(self.alias()).is_some()))
            })
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The name of the index with this number.
    pub fn index(&self, number: u64) -> String {
        format!("{}-{number}", self.alias())
    }

    /// Puts an index behind the alias, in one step with taking others away.
    pub async fn swap(&self, number: u64) -> Result<(), EngineError> {
        let mut actions: Vec<Value> = Vec::new();
        for (other, behind) in self.generations().await? {
            if behind && other != number {
                actions.push(json!({ "remove": { "index": self.index(other), "alias": self.alias() } }));
            }
        }
        actions.push(json!({ "add": { "index": self.index(number), "alias": self.alias() } }));
        self.work(Method::Post, "/_aliases", Some(&json!({ "actions": actions }))).await.map(drop)
    }

    /// Removes an index; whether it is gone already is no matter.
    pub async fn delete(&self, number: u64) -> Result<(), EngineError> {
        match self.work(Method::Delete, &format!("/{}", self.index(number)), None).await {
            Err(EngineError::Refused { status: 404, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Makes everything that an index was given findable.
    pub async fn refresh(&self, index: &str) -> Result<(), EngineError> {
        self.work(Method::Post, &format!("/{index}/_refresh"), None).await.map(drop)
    }

    /// Gives documents to an index, each with its revision: what it knows in a newer one stays as it is. With `findable`
    /// it returns when they can be found.
    pub async fn bulk(
        &self,
        into: Into<'_>,
        documents: &[Versioned],
        findable: bool,
    ) -> Result<Bulk, EngineError> {
        if documents.is_empty() {
            return Ok(Bulk::default());
        }
        // Without require_alias a missing alias would become an index of that name.
        let (index, alias) = match into {
            Into::Alias => (self.alias(), true),
            Into::Index(index) => (index, false),
        };
        let refresh = if findable { "wait_for" } else { "false" };
        let path = format!("/{index}/_bulk?require_alias={alias}&refresh={refresh}");
        let said = self.send(Method::Post, &path, Some(bulk_lines(documents)), WORK_PATIENCE).await?;
        let mut bulk = Bulk::default();
        for item in said["items"].as_array().into_iter().flatten() {
            let about = &item["index"];
            match about["status"].as_u64() {
                // A newer revision is there: 409.
                Some(200 | 201 | 409) => {}
                // It is busy, or an index is missing: the whole request is worth another try.
                Some(status @ (404 | 429 | 500..)) => {
                    let reason = about["error"]["reason"].as_str().unwrap_or_default().to_owned();
                    return Err(EngineError::Refused {
                        status: u16::try_from(status).unwrap_or(500),
                        reason,
                    });
                }
                _ => {
                    let id = about["_id"].as_str().and_then(|id| id.parse().ok());
                    bulk.refused.extend(id.map(|id| (id, about["error"].to_string())));
                }
            }
        }
        Ok(bulk)
    }

    /// The revisions that an index has of products.
    pub async fn revisions(
        &self,
        index: &str,
        products: &[ProductId],
    ) -> Result<HashMap<ProductId, i64>, EngineError> {
        let path = format!("/{index}/_mget?_source=false");
        let said = self.work(Method::Post, &path, Some(&json!({ "ids": products }))).await?;
        let documents = said["docs"].as_array().into_iter().flatten();
        let known = documents.filter(|document| document["found"] == true).filter_map(|document| {
            Some((document["_id"].as_str()?.parse().ok()?, document["_version"].as_i64()?))
        });
        Ok(known.collect())
    }
}

fn settings() -> Value {
    let mut filters = json!({
        "stemmer_en": { "type": "stemmer", "language": "english" },
        "stemmer_de": { "type": "stemmer", "language": "light_german" },
        "stemmer_ar": { "type": "stemmer", "language": "arabic" },
        "beginnings": { "type": "edge_ngram", "min_gram": 1, "max_gram": 20 },
    });
    // Words are cut as `domain::tokens` cuts them, so that both indices know the same words.
    let tokenizers = json!({ "words": { "type": "pattern", "pattern": "[^\\p{IsAlphabetic}\\p{N}]+" } });
    let analyzer = |filters: &[&str]| json!({ "tokenizer": "words", "filter": filters });
    let mut analyzers = json!({
        "exact": analyzer(&["lowercase"]),
        "plain": analyzer(&["lowercase", "asciifolding"]),
        "begun": analyzer(&["lowercase", "asciifolding", "beginnings"]),
    });
    for Language { code, synonyms, filters: own } in &LANGUAGES {
        let synonyms: Vec<&str> = synonyms.lines().filter(|line| !line.is_empty()).collect();
        let name = format!("synonyms_{code}");
        filters[&name] = json!({ "type": "synonym_graph", "synonyms": synonyms });
        let indexed: Vec<&str> = ["lowercase"].iter().chain(*own).copied().collect();
        let searched: Vec<&str> = ["lowercase", &name].iter().chain(*own).copied().collect();
        analyzers[*code] = analyzer(&indexed);
        analyzers[format!("{code}_search")] = analyzer(&searched);
    }
    json!({
        "index": {
            // A catalogue is small for an engine, and counts of facets are exact on one shard.
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "refresh_interval": "500ms",
            // Products are never deleted, only put off sale. Whoever deletes one by hand has this long before an older
            // event could bring it back.
            "gc_deletes": "1h",
            "analysis": { "filter": filters, "tokenizer": tokenizers, "analyzer": analyzers },
        }
    })
}

fn mappings() -> Value {
    let keyword = json!({ "type": "keyword", "ignore_above": 1024 });
    let long = json!({ "type": "long" });
    let text = |analyzer: &str| json!({ "type": "text", "analyzer": analyzer, "norms": false });
    let language = |code: &str| json!({ "type": "text", "analyzer": code, "search_analyzer": format!("{code}_search"), "norms": false });
    let mut all = text("plain");
    all["fields"] = json!({ "begun": {
        "type": "text", "analyzer": "begun", "search_analyzer": "plain", "norms": false,
    } });
    let mut titles = json!({ "all": all });
    for Language { code, .. } in &LANGUAGES {
        titles[*code] = language(code);
    }
    let mut rest = text("plain");
    rest["fields"] = json!({ "en": language("en") });
    json!({
        "dynamic": false,
        "_meta": { "layout": LAYOUT },
        "properties": {
            "id": { "type": "keyword" },
            "active": { "type": "boolean" },
            "hidden_in": keyword,
            "in_stock": { "type": "boolean" },
            "categories": keyword,
            "category": keyword,
            "category_name": { "type": "text", "analyzer": "begun", "search_analyzer": "plain", "norms": false },
            "title": { "properties": titles },
            "code": text("plain"),
            "rest": rest,
            "vocabulary": text("exact"),
            "price": { "type": "object", "dynamic": true },
            "created_at": long,
            "units_sold": long,
            "rating": long,
            "popularity": { "type": "float" },
            "filter": keyword,
            "facet": { "type": "nested", "properties": { "key": keyword, "label": keyword, "value": keyword } },
            "stored": { "type": "object", "enabled": false },
        },
    })
}
