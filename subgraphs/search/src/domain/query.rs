//! Filters, facet counts, order and pages over the picture.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use common::id::{CategoryId, ProductId, VariantId};
use common::{Currency, Cursor, Fault, PageArgs};

use super::{Entry, Facets, Picture};

/// Values of one facet shown at the most.
pub const MOST_BUCKETS: usize = 50;
/// Filters at once: one bit each.
const MOST_FILTERS: usize = 32;

/// In what order hits come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The best match first; without a text the best seller.
    Relevance,
    /// The cheapest first.
    PriceAsc,
    /// The dearest first.
    PriceDesc,
    /// The newest first.
    Newest,
    /// The best seller first.
    BestSelling,
    /// The best rated first.
    Rating,
}

/// One facet, and the values of which a product must have one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FacetFilter {
    /// The facet.
    pub key: String,
    /// The values.
    pub values: Vec<String>,
}

/// Bounds of the lowest price, in minor units of the request's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PriceFilter {
    /// At least this.
    pub min: Option<i64>,
    /// At most this.
    pub max: Option<i64>,
}

/// What is asked.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Scores of the products that match the text; `None` where there is no text.
    pub scores: Option<&'a HashMap<ProductId, f32>>,
    /// Facets that must match.
    pub facets: &'a [FacetFilter],
    /// Whether values of facets are counted.
    pub counted: bool,
    /// Bounds of the price.
    pub price: PriceFilter,
    /// Only what can be bought now.
    pub in_stock_only: bool,
    /// Only what stands here or below.
    pub category: Option<CategoryId>,
    /// Order.
    pub sort: Sort,
    /// Which page.
    pub page: &'a PageArgs,
    /// Channel of the request.
    pub channel: &'a str,
    /// Currency of the request.
    pub currency: Currency,
}

/// A product that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The product.
    pub entry: Arc<Entry>,
    /// The variant that fits the filters best.
    pub variant: Option<VariantId>,
    /// How well it matches.
    pub score: f32,
    /// Its place, as clients see it.
    pub cursor: String,
}

/// A value of a facet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FacetCount {
    /// Its number in [`Facets::values`].
    pub value: u32,
    /// How many products have it, under all filters but this facet's own.
    pub count: i32,
    /// Whether it is asked for.
    pub selected: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The hits of the page, perhaps one more than asked for.
    pub hits: Vec<Hit>,
    /// How many there are on all pages.
    pub total: usize,
    /// The values of each facet, by its number in [`Facets::all`], in the order of the facets' keys.
    pub facets: Vec<(usize, Vec<FacetCount>)>,
}

/// Finds.
pub fn find(picture: &Picture, asked: &Asked<'_>) -> Result<Found, Fault> {
    if asked.facets.len() > MOST_FILTERS {
        return Err(Fault::bad_input(format!("At most {MOST_FILTERS} facets at once.")));
    }
    let facets = &*picture.facets;
    let filters: Vec<Wanted> = asked.facets.iter().map(|filter| Wanted::new(facets, filter)).collect();
    let all = (1u64 << filters.len()) - 1;
    // For each facet the bits of its own filters: its counts pay them no heed.
    let own: Vec<u64> = (0..facets.all().len())
        .map(|facet| {
            let bits = filters.iter().enumerate().filter(|(_, filter)| filter.facet == Some(facet));
            bits.fold(0, |bits, (place, _)| bits | 1 << place)
        })
        .collect();
    let mut counts = vec![0; if asked.counted { facets.values().len() } else { 0 }];
    let mut matching: Vec<(Key, &Arc<Entry>)> = Vec::new();
    for entry in candidates(picture, asked) {
        let passed = passed(facets, entry, &filters);
        if asked.counted {
            for value in &entry.facets {
                counts[*value as usize] += i32::from(passed | own[facets.facet_of(*value)] == all);
            }
        }
        if passed == all {
            matching.push((key(entry, asked), entry));
        }
    }
    let total = matching.len();
    let hits = page(matching, asked)?;
    Ok(Found { hits, total, facets: sorted(facets, &counts, &filters) })
}

/// A filter in numbers.
struct Wanted {
    /// `None` where no product has such a facet, so that none passes.
    facet: Option<usize>,
    /// Those of its values that products have.
    values: Vec<u32>,
    /// Whether any value will do.
    any: bool,
}

impl Wanted {
    fn new(facets: &Facets, filter: &FacetFilter) -> Self {
        let facet = facets.find(&filter.key);
        let number = |value: &String| facets.find_value(facet?, value);
        Self {
            facet,
            values: filter.values.iter().filter_map(number).collect(),
            any: filter.values.is_empty(),
        }
    }
}

/// The products that pass everything but the facets.
fn candidates<'p>(picture: &'p Picture, asked: &'p Asked<'_>) -> impl Iterator<Item = &'p Arc<Entry>> {
    let entries: Box<dyn Iterator<Item = &Arc<Entry>>> = match (asked.scores, asked.category) {
        (Some(scores), _) => Box::new(scores.keys().filter_map(|id| picture.entries.get(id))),
        (None, Some(category)) => Box::new(picture.best_in(category)),
        (None, None) => Box::new(picture.best.iter()),
    };
    entries.filter(move |entry| {
        let price_is_good = || {
            let PriceFilter { min, max } = asked.price;
            let fits = |price| min.is_none_or(|min| price >= min) && max.is_none_or(|max| price <= max);
            (min.is_none() && max.is_none()) || entry.lowest_price(asked.currency).is_some_and(fits)
        };
        entry.is_visible_in(asked.channel)
            && asked.category.is_none_or(|category| entry.is_in(category))
            && (!asked.in_stock_only || !entry.available.is_empty())
            && price_is_good()
    })
}

/// One bit for each filter that the product passes.
fn passed(facets: &Facets, entry: &Entry, filters: &[Wanted]) -> u64 {
    let mut passed = 0;
    for (place, filter) in filters.iter().enumerate() {
        let fits = |value: &u32| {
            filter.values.contains(value) || (filter.any && Some(facets.facet_of(*value)) == filter.facet)
        };
        if entry.facets.iter().any(fits) {
            passed |= 1 << place;
        }
    }
    passed
}

/// What a hit is ordered by: a number, the larger first, then the id.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    rank: i64,
    id: ProductId,
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank.cmp(&self.rank).then(self.id.cmp(&other.id))
    }
}

fn key(entry: &Entry, asked: &Asked<'_>) -> Key {
    let price = || entry.lowest_price(asked.currency).unwrap_or(i64::MAX >> 1);
    let rank = match asked.sort {
        Sort::Relevance => match asked.scores {
            // Six digits of the score are enough to order by, and make a cursor that compares exactly.
            Some(scores) => (f64::from(scores.get(&entry.product.id).copied().unwrap_or(0.0)) * 1e6) as i64,
            None => entry.units_sold,
        },
        Sort::PriceAsc => -price(),
        Sort::PriceDesc => price(),
        Sort::Newest => entry.created_at().0,
        Sort::BestSelling => entry.units_sold,
        Sort::Rating => {
            i64::from(entry.average_hundredths) * 1_000_000 + i64::from(entry.product.rating_count)
        }
    };
    Key { rank, id: entry.product.id }
}

fn page(mut matching: Vec<(Key, &Arc<Entry>)>, asked: &Asked<'_>) -> Result<Vec<Hit>, Fault> {
    if let Some(cursor) = &asked.page.after {
        let last = Key { rank: cursor.key(0, 2)?, id: cursor.key(1, 2)? };
        matching.retain(|(key, _)| *key > last);
    }
    let wanted = asked.page.first + 1;
    if matching.len() > wanted {
        matching.select_nth_unstable_by_key(wanted - 1, |(key, _)| *key);
        matching.truncate(wanted);
    }
    matching.sort_unstable_by_key(|(key, _)| *key);
    let hits = matching.into_iter().map(|(key, entry)| Hit {
        entry: Arc::clone(entry),
        variant: matched_variant(entry, asked.facets),
        score: asked.scores.and_then(|scores| scores.get(&entry.product.id)).copied().unwrap_or(0.0),
        cursor: Cursor::new(&[&key.rank, &key.id]).encode(),
    });
    Ok(hits.collect())
}

/// The variant that has the options that are filtered by, if possible one that can be bought.
pub fn matched_variant(entry: &Entry, filters: &[FacetFilter]) -> Option<VariantId> {
    let fits = |variant: &&events::products::VariantSnapshot| {
        variant.options.iter().all(|(name, value)| {
            let filter = filters.iter().find(|filter| filter.key == name.to_lowercase());
            filter.is_none_or(|filter| filter.values.is_empty() || filter.values.contains(value))
        })
    };
    let variants = &entry.product.variants;
    let available = |variant: &&events::products::VariantSnapshot| entry.available.contains(&variant.id);
    let best = variants.iter().filter(fits).find(available).or_else(|| variants.iter().find(fits));
    best.or_else(|| variants.first()).map(|variant| variant.id)
}

fn sorted(facets: &Facets, counts: &[i32], filters: &[Wanted]) -> Vec<(usize, Vec<FacetCount>)> {
    let mut buckets: Vec<Vec<FacetCount>> = vec![Vec::new(); facets.all().len()];
    for (value, count) in (0..).zip(counts).filter(|(_, count)| **count > 0) {
        let selected = filters.iter().any(|filter| filter.values.contains(&value));
        buckets[facets.facet_of(value)].push(FacetCount { value, count: *count, selected });
    }
    let mut found: Vec<_> =
        buckets.into_iter().enumerate().filter(|(_, counts)| !counts.is_empty()).collect();
    let text = |count: &FacetCount| facets.values()[count.value as usize].value.as_str();
    for (_, counts) in &mut found {
        counts.sort_unstable_by(|one, other| {
            other.count.cmp(&one.count).then_with(|| text(one).cmp(text(other)))
        });
        counts.truncate(MOST_BUCKETS);
    }
    found.sort_unstable_by(|(one, _), (other, _)| facets.all()[*one].key.cmp(&facets.all()[*other].key));
    found
}
