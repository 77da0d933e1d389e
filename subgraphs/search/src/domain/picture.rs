//! The picture of the catalogue that search holds in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use common::id::{CategoryId, ProductId, VariantId};
use common::{Currency, Timestamp};
use events::products::ProductSnapshot;

/// A product as search sees it.
#[derive(Debug)]
pub struct Entry {
    /// The newest snapshot.
    pub product: ProductSnapshot,
    /// Facet values by facet key: what it can be filtered by.
    pub facets: BTreeMap<String, Vec<String>>,
    /// Variants that can be bought now.
    pub available: HashSet<VariantId>,
    /// Mean rating in hundredths.
    pub average_hundredths: i32,
    /// Units sold so far.
    pub units_sold: i64,
}

impl Entry {
    /// An entry of these parts.
    pub fn new(
        product: ProductSnapshot,
        available: HashSet<VariantId>,
        average_hundredths: i32,
        units_sold: i64,
    ) -> Self {
        let facets = facets_of(&product);
        Self { product, facets, available, average_hundredths, units_sold }
    }

    /// The title in the language, or in English.
    pub fn title(&self, locale: &str) -> &str {
        let language = locale.split('-').next().unwrap_or(locale);
        let titles = &self.product.titles;
        let in_language = |wanted: &str| titles.iter().find(|title| title.locale == wanted);
        in_language(language).or_else(|| in_language("en")).map_or("", |title| title.text.as_str())
    }

    /// The lowest price in the currency, in minor units.
    pub fn lowest_price(&self, currency: Currency) -> Option<i64> {
        let prices = self.product.variants.iter().flat_map(|variant| &variant.prices);
        prices.filter(|price| price.currency == currency).map(|price| price.minor).min()
    }

    /// Whether shoppers of the channel see it.
    pub fn is_visible_in(&self, channel: &str) -> bool {
        self.product.active && !self.product.hidden_in.iter().any(|hidden| hidden == channel)
    }

    /// Whether it stands in the category or below it.
    pub fn is_in(&self, category: CategoryId) -> bool {
        self.product
            .category
            .as_ref()
            .is_some_and(|own| own.id == category || own.ancestors.contains(&category))
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        self.product.created_at
    }
}

fn facets_of(product: &ProductSnapshot) -> BTreeMap<String, Vec<String>> {
    let mut facets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |key: &str, value: &str| {
        let values = facets.entry(key.to_owned()).or_default();
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    };
    if let Some(category) = &product.category {
        add("category", &category.slug);
    }
    if let Some(brand) = &product.brand {
        add("brand", brand);
    }
    for (key, _, value) in &product.attributes {
        add(key, value);
    }
    for variant in &product.variants {
        for (name, value) in &variant.options {
            add(&name.to_lowercase(), value);
        }
    }
    facets
}

/// All products, and what was bought with what.
#[derive(Debug, Default)]
pub struct Picture {
    /// By id.
    pub entries: HashMap<ProductId, Arc<Entry>>,
    /// For each product those bought with it, the most often first.
    pub together: HashMap<ProductId, Arc<[ProductId]>>,
    /// The ids of the products that are on sale, best sellers first.
    pub best: Vec<ProductId>,
    /// Labels of facet keys and of category slugs.
    pub labels: HashMap<String, String>,
}

impl Picture {
    /// A picture of these parts.
    pub fn new(
        entries: HashMap<ProductId, Arc<Entry>>,
        together: HashMap<ProductId, Arc<[ProductId]>>,
    ) -> Self {
        let mut best: Vec<ProductId> =
            entries.values().filter(|entry| entry.product.active).map(|entry| entry.product.id).collect();
        best.sort_by_key(|id| {
            let sold = entries.get(id).map_or(0, |entry| entry.units_sold);
            (std::cmp::Reverse(sold), *id)
        });
        let mut labels = HashMap::from([
            ("category".to_owned(), "Category".to_owned()),
            ("brand".to_owned(), "Brand".to_owned()),
        ]);
        for entry in entries.values() {
            if let Some(category) = &entry.product.category {
                labels.entry(category.slug.clone()).or_insert_with(|| category.name.clone());
            }
            for (key, label, _) in &entry.product.attributes {
                labels.entry(key.clone()).or_insert_with(|| label.clone());
            }
            for (name, _) in entry.product.variants.iter().flat_map(|variant| &variant.options) {
                labels.entry(name.to_lowercase()).or_insert_with(|| name.clone());
            }
        }
        Self { entries, together, best, labels }
    }

    /// How a facet key or value is shown.
    pub fn label<'a>(&'a self, text: &'a str) -> &'a str {
        self.labels.get(text).map_or(text, String::as_str)
    }
}
