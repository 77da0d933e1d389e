//! Recommendations: from what was bought together, what is alike, and what sells.

use std::collections::HashSet;
use std::sync::Arc;

use common::id::ProductId;

use super::{Entry, Facets, Picture};

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// In place of the product.
    Related,
    /// Beside the product.
    Complementary,
    /// What looks like the product.
    SimilarVisual,
    /// What sells well now.
    Trending,
}

/// The names of facets that say how something looks.
const LOOKS: [&str; 2] = ["material", "colour"];

/// Up to `count` products that go with one, the best first, never the product itself.
pub fn recommend(
    picture: &Picture,
    product: ProductId,
    intent: Intent,
    count: usize,
    channel: &str,
) -> Vec<ProductId> {
    let Some(entry) = picture.entries.get(&product) else {
        return trending(picture, &HashSet::new(), count, channel);
    };
    let mut chosen: Vec<ProductId> = match intent {
        Intent::Complementary => picture.together.get(&product).map(|ids| ids.to_vec()).unwrap_or_default(),
        Intent::Related => match &entry.product.category {
            Some(own) => alike(entry, picture.best_in(own.id).filter(|other| same_category(entry, other))),
            None => Vec::new(),
        },
        Intent::SimilarVisual => {
            let looks = LOOKS.map(|key| picture.facets.find(key));
            let others = picture.best.iter();
            alike(entry, others.filter(|other| looks_alike(&picture.facets, looks, entry, other)))
        }
        Intent::Trending => Vec::new(),
    };
    chosen.retain(|id| {
        *id != product && picture.entries.get(id).is_some_and(|other| other.is_visible_in(channel))
    });
    fill_up(picture, chosen, HashSet::from([product]), count, channel)
}

/// Up to `count` products that were bought together with several, none of those: in turns, the best of each, then the
/// second best, so that each of them has its say.
pub fn recommend_from(
    picture: &Picture,
    products: &[ProductId],
    count: usize,
    channel: &str,
) -> Vec<ProductId> {
    let known: HashSet<ProductId> = products.iter().copied().collect();
    let together: Vec<_> = products.iter().filter_map(|id| picture.together.get(id)).collect();
    let turns = together.iter().map(|others| others.len()).max().unwrap_or(0);
    let mut chosen: Vec<ProductId> = Vec::new();
    for id in (0..turns).flat_map(|turn| together.iter().filter_map(move |others| others.get(turn))) {
        if chosen.len() == count {
            break;
        }
        let visible = picture.entries.get(id).is_some_and(|other| other.is_visible_in(channel));
        if visible && !known.contains(id) && !chosen.contains(id) {
            chosen.push(*id);
        }
    }
    fill_up(picture, chosen, known, count, channel)
}

fn fill_up(
    picture: &Picture,
    mut chosen: Vec<ProductId>,
    mut known: HashSet<ProductId>,
    count: usize,
    channel: &str,
) -> Vec<ProductId> {
    chosen.truncate(count);
    known.extend(&chosen);
    let missing = count - chosen.len();
    chosen.extend(trending(picture, &known, missing, channel));
    chosen
}

fn trending(picture: &Picture, known: &HashSet<ProductId>, count: usize, channel: &str) -> Vec<ProductId> {
    let wanted = |entry: &&Arc<Entry>| !known.contains(&entry.product.id) && entry.is_visible_in(channel);
    picture.best.iter().filter(wanted).take(count).map(|entry| entry.product.id).collect()
}

/// The others, the nearest in price first.
fn alike<'p>(entry: &Entry, others: impl Iterator<Item = &'p Arc<Entry>>) -> Vec<ProductId> {
    let currency = common::Currency::USD;
    let price = entry.lowest_price(currency).unwrap_or(0);
    let distance = |other: &Entry| other.lowest_price(currency).unwrap_or(0).abs_diff(price);
    let mut found: Vec<(u64, ProductId)> = others.map(|other| (distance(other), other.product.id)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).take(50).collect()
}

fn same_category(one: &Entry, other: &Entry) -> bool {
    let id = |entry: &Entry| entry.product.category.as_ref().map(|category| category.id);
    id(one).is_some() && id(one) == id(other)
}

/// Whether both have a value in common for each way of looking, where both have any.
fn looks_alike(facets: &Facets, looks: [Option<usize>; 2], one: &Entry, other: &Entry) -> bool {
    looks.into_iter().flatten().all(|look| {
        let values = |entry: &Entry| -> Vec<u32> {
            entry.facets.iter().copied().filter(|value| facets.facet_of(*value) == look).collect()
        };
        let (own, others) = (values(one), values(other));
        own.is_empty() || others.is_empty() || own.iter().any(|value| others.contains(value))
    })
}
