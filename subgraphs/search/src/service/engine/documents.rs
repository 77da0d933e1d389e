//! A product as a document of the engine.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use common::id::{ProductId, VariantId};
use events::products::ProductSnapshot;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::{Entry, Facets};

/// Stands between the parts of a term: no text that people write has it.
pub const UNIT: char = '\u{1f}';

/// What is read back from a hit: all that an entry is made of. Not indexed.
#[derive(Serialize, Deserialize)]
pub struct Stored {
    product: ProductSnapshot,
    available: HashSet<VariantId>,
    average: i32,
    units: i64,
}

impl Stored {
    /// The entry again.
    pub fn entry(self, facets: &mut Facets) -> Entry {
        Entry::new(facets, self.product, self.available, self.average, self.units)
    }
}

/// The term of a facet's value, by which it is filtered.
pub fn filter_term(key: &str, value: &str) -> String {
    format!("{key}{UNIT}{value}")
}

/// The field of prices in a currency.
pub fn price_field(currency: common::Currency) -> String {
    format!("price.{}", currency.code().to_lowercase())
}

/// The document of an entry; `facets` are those that the entry's numbers stand in.
pub fn document(entry: &Entry, facets: &Facets) -> Value {
    let product = &entry.product;
    let mut titles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for title in &product.titles {
        titles.entry("all").or_default().push(&title.text);
        let language = title.locale.split('-').next().unwrap_or_default();
        if let Some(language) = super::indices::LANGUAGES.iter().find(|one| one.code == language) {
            titles.entry(language.code).or_default().push(&title.text);
        }
    }
    let category = product.category.as_ref();
    let options = product.variants.iter().flat_map(|variant| &variant.options).map(|(_, value)| value);
    let rest: BTreeSet<&str> = options
        .chain(&product.brand)
        .chain(category.map(|category| &category.name))
        .chain(product.attributes.iter().map(|(_, _, value)| value))
        .chain([&product.description])
        .map(String::as_str)
        .collect();
    let vocabulary: Vec<&str> = product
        .titles
        .iter()
        .map(|title| title.text.as_str())
        .chain(category.map(|category| category.name.as_str()))
        .collect();
    json!({
        "id": product.id,
        "active": product.active,
        "hidden_in": product.hidden_in,
        "in_stock": !entry.available.is_empty(),
        "categories": category.map(|own| [&[own.id][..], &own.ancestors].concat()),
        "category": category.map(|own| format!("{}{UNIT}{}", own.id, own.name)),
        "category_name": category.map(|own| &own.name),
        "title": titles,
        "code": product.variants.iter().map(|variant| &variant.sku).collect::<Vec<_>>(),
        "rest": rest,
        "vocabulary": vocabulary,
        "price": prices(entry),
        "created_at": product.created_at.0,
        "units_sold": entry.units_sold,
        "rating": rating(entry),
        "popularity": popularity(entry.units_sold),
        "filter": values(entry, facets).map(|(key, value, _)| filter_term(key, value)).collect::<Vec<_>>(),
        "facet": values(entry, facets)
            .map(|(key, value, shown)| json!({
                "key": key,
                "label": label(key, facets),
                "value": format!("{value}{UNIT}{shown}"),
            }))
            .collect::<Vec<_>>(),
        "stored": Stored {
            product: product.clone(),
            available: entry.available.clone(),
            average: entry.average_hundredths,
            units: entry.units_sold,
        },
    })
}

/// Key, value and shown value of everything that a product can be filtered by.
fn values<'e>(entry: &'e Entry, facets: &'e Facets) -> impl Iterator<Item = (&'e str, &'e str, &'e str)> {
    entry.facets.iter().map(|number| {
        let value = &facets.values()[*number as usize];
        (facets.all()[value.facet].key.as_str(), value.value.as_str(), value.label.as_str())
    })
}

fn label<'f>(key: &str, facets: &'f Facets) -> &'f str {
    facets.find(key).map_or("", |facet| &facets.all()[facet].label)
}

/// The lowest price in each currency.
fn prices(entry: &Entry) -> BTreeMap<String, i64> {
    let mut lowest = BTreeMap::new();
    for price in entry.product.variants.iter().flat_map(|variant| &variant.prices) {
        let known = lowest.entry(price.currency.code().to_lowercase()).or_insert(price.minor);
        *known = price.minor.min(*known);
    }
    lowest
}

/// How ratings are ordered: by the mean, then by how many there are.
pub fn rating(entry: &Entry) -> i64 {
    i64::from(entry.average_hundredths) * 1_000_000 + i64::from(entry.product.rating_count)
}

/// What sales add to a score: always less than the smallest step between two kinds of match.
fn popularity(units_sold: i64) -> f64 {
    (units_sold.max(0) as f64).ln_1p() / 200.0
}

/// A document on its way into an index.
pub struct Versioned {
    /// Of which product.
    pub product: ProductId,
    /// Orders what is known of the product: the larger is the newer.
    pub revision: i64,
    /// The document.
    pub document: Value,
}

/// The lines of a bulk request that indexes documents.
pub fn bulk_lines(documents: &[Versioned]) -> Vec<u8> {
    let mut lines = Vec::new();
    for Versioned { product, revision, document } in documents {
        let action = json!({ "index": { "_id": product, "version": revision, "version_type": "external" } });
        for value in [&action, document] {
            lines.extend_from_slice(value.to_string().as_bytes());
            lines.push(b'\n');
        }
    }
    lines
}
