//! The picture of the catalogue that search holds in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::id::{CategoryId, ProductId, VariantId};
use common::{Currency, Timestamp};
use events::products::ProductSnapshot;

use super::Facets;

/// A product as search sees it.
#[derive(Debug)]
pub struct Entry {
    /// The newest snapshot.
    pub product: ProductSnapshot,
    /// What it can be filtered by: numbers of [`Facets`], in ascending order.
    pub facets: Box<[u32]>,
    /// The lowest price in each currency, in minor units.
    lowest: Box<[(Currency, i64)]>,
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
        facets: &mut Facets,
        product: ProductSnapshot,
        available: HashSet<VariantId>,
        average_hundredths: i32,
        units_sold: i64,
    ) -> Self {
        let facets = facets.of(&product);
        let lowest = lowest_prices(&product);
        Self { product, facets, lowest, available, average_hundredths, units_sold }
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
        self.lowest.iter().find(|(of, _)| *of == currency).map(|(_, minor)| *minor)
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

fn lowest_prices(product: &ProductSnapshot) -> Box<[(Currency, i64)]> {
    let mut lowest: Vec<(Currency, i64)> = Vec::new();
    for price in product.variants.iter().flat_map(|variant| &variant.prices) {
        match lowest.iter_mut().find(|(currency, _)| *currency == price.currency) {
            Some((_, minor)) => *minor = price.minor.min(*minor),
            None => lowest.push((price.currency, price.minor)),
        }
    }
    lowest.into()
}

/// All products, and what was bought with what.
#[derive(Debug, Default)]
pub struct Picture {
    /// By id.
    pub entries: HashMap<ProductId, Arc<Entry>>,
    /// For each product those bought with it, the most often first.
    pub together: HashMap<ProductId, Arc<[ProductId]>>,
    /// The products that are on sale, best sellers first.
    pub best: Vec<Arc<Entry>>,
    /// The categories that these stand in, with their names, that of the best seller first.
    pub categories: Vec<(CategoryId, String)>,
    /// Their places in `best`, for each category with those below it.
    places: HashMap<CategoryId, Vec<u32>>,
    /// What they can be filtered by.
    pub facets: Arc<Facets>,
}

impl Picture {
    /// A picture of these parts.
    pub fn new(
        entries: HashMap<ProductId, Arc<Entry>>,
        together: HashMap<ProductId, Arc<[ProductId]>>,
        facets: Arc<Facets>,
    ) -> Self {
        let mut best: Vec<Arc<Entry>> =
            entries.values().filter(|entry| entry.product.active).cloned().collect();
        best.sort_unstable_by_key(|entry| (std::cmp::Reverse(entry.units_sold), entry.product.id));
        let (mut categories, mut places) = (Vec::new(), HashMap::<CategoryId, Vec<u32>>::new());
        let mut named = HashSet::new();
        for (place, entry) in (0..).zip(&best) {
            let Some(own) = &entry.product.category else { continue };
            if named.insert(own.id) {
                categories.push((own.id, own.name.clone()));
            }
            for category in std::iter::once(&own.id).chain(&own.ancestors) {
                places.entry(*category).or_default().push(place);
            }
        }
        Self { entries, together, best, categories, places, facets }
    }

    /// The products that are on sale in the category or below it, best sellers first.
    pub fn best_in(&self, category: CategoryId) -> impl Iterator<Item = &Arc<Entry>> {
        let places = self.places.get(&category).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| self.best.get(*place as usize))
    }
}
