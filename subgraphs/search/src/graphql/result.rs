//! Search results in the schema.

use std::sync::Arc;

use async_graphql::{ComplexObject, Enum, ID, InputObject, Object, SimpleObject};
use common::Fault;
use common::id::SearchRunId;
use subgraph::graphql::{InOrder, Listed, MinorUnits, PageInfo};

use super::reference::{Category, Product, ProductVariant};
use crate::domain::{self, FacetFilter, PriceFilter, highlight};
use crate::service::{Answer, Suggested};

/// In what order hits come.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Sort")]
pub enum SearchSort {
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

/// What is searched in.
#[derive(InputObject, Default)]
pub struct SearchFilterInput {
    /// Facets that must match, each with one of its values.
    pub facets: Option<Vec<FacetFilterInput>>,
    /// Bounds of the lowest price.
    pub price: Option<PriceFilterInput>,
    /// Only what can be bought now.
    pub in_stock_only: Option<bool>,
    /// Only what stands in this category or below it.
    pub category_id: Option<ID>,
}

/// A facet that must match.
#[derive(InputObject)]
pub struct FacetFilterInput {
    /// The facet's key, such as `brand`.
    pub key: String,
    /// The values of which a product must have one.
    pub values: Vec<String>,
}

/// Bounds of a price in the currency of the request.
#[derive(InputObject)]
pub struct PriceFilterInput {
    /// At least this, in minor units.
    pub min_minor: Option<MinorUnits>,
    /// At most this, in minor units.
    pub max_minor: Option<MinorUnits>,
}

/// A search filter, read.
#[derive(Default)]
pub struct Filter {
    pub facets: Vec<FacetFilter>,
    pub price: PriceFilter,
    pub in_stock_only: bool,
    pub category: Option<common::id::CategoryId>,
}

impl TryFrom<SearchFilterInput> for Filter {
    type Error = Fault;

    fn try_from(input: SearchFilterInput) -> Result<Self, Fault> {
        let facets = input.facets.unwrap_or_default();
        Ok(Self {
            facets: facets
                .into_iter()
                .map(|facet| FacetFilter { key: facet.key, values: facet.values })
                .collect(),
            price: input.price.map_or_else(PriceFilter::default, |price| PriceFilter {
                min: price.min_minor.map(|minor| minor.0),
                max: price.max_minor.map(|minor| minor.0),
            }),
            in_stock_only: input.in_stock_only.unwrap_or(false),
            category: input.category_id.as_ref().map(subgraph::graphql::parse_id).transpose()?,
        })
    }
}

/// A value of a facet.
pub struct FacetBucket {
    facets: Arc<domain::Facets>,
    count: domain::FacetCount,
}

/// A value of a facet.
#[Object]
impl FacetBucket {
    /// The value, as it is filtered by.
    async fn value(&self) -> &str {
        &self.named().value
    }

    /// The value, as it is shown.
    async fn label(&self) -> &str {
        &self.named().label
    }

    /// How many products have it, under all other filters.
    async fn count(&self) -> i32 {
        self.count.count
    }

    /// Whether it is filtered by.
    async fn selected(&self) -> bool {
        self.count.selected
    }
}

impl FacetBucket {
    fn named(&self) -> &domain::FacetValue {
        &self.facets.values()[self.count.value as usize]
    }
}

/// A property that hits can be narrowed down by.
#[derive(SimpleObject)]
pub struct Facet {
    /// The facet's name for programs, such as `brand`.
    pub key: String,
    /// The facet's name for people.
    pub label: String,
    /// Its values, the most frequent first.
    pub buckets: Listed<FacetBucket>,
}

/// A product that was found.
#[derive(SimpleObject)]
pub struct SearchHit {
    /// Its place: send it as `after` for what follows.
    pub cursor: String,
    /// How well it matches; 0 without a text.
    pub score: f64,
    /// The product.
    pub product: InOrder<Product>,
    /// The variant that fits the filters best.
    pub matched_variant: Option<InOrder<ProductVariant>>,
    /// The title as HTML with the words that match in `<em>`; null where none does.
    pub highlight: Option<String>,
}

/// A page of what was found.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SearchConnection {
    /// The hits.
    pub edges: Listed<SearchHit>,
    /// What comes before and after.
    pub page_info: InOrder<PageInfo>,
    /// How many hits there are on all pages.
    pub total_count: Option<i32>,
    /// What the hits can be narrowed down by.
    pub facets: Listed<Facet>,
    /// What was searched for in place of a misspelt text.
    pub corrected_query: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    #[graphql(skip)]
    id: SearchRunId,
}

#[ComplexObject]
impl SearchConnection {
    /// Which search this is: send it with `trackEvents` when somebody follows a hit.
    async fn search_id(&self) -> ID {
        // No two searches have the same.
        cache::rely_on_others();
        self.id.into()
    }
}

impl SearchConnection {
    /// How an answer is shown.
    pub fn new(
        id: SearchRunId,
        answer: &Answer,
        page: &common::PageArgs,
        locale: &str,
        took_ms: i32,
    ) -> Self {
        let Answer { found, words, corrected, facets: known, .. } = answer;
        let edges: Vec<SearchHit> = found
            .hits
            .iter()
            .take(page.first)
            .map(|hit| SearchHit {
                cursor: hit.cursor.clone(),
                score: hit.score.into(),
                product: InOrder(Product { id: hit.entry.product.id.into() }),
                matched_variant: hit.variant.map(|id| InOrder(ProductVariant { id: id.into() })),
                highlight: if words.is_empty() { None } else { highlight(hit.entry.title(locale), words) },
            })
            .collect();
        let facets = found.facets.iter().map(|(facet, counts)| {
            let bucket =
                |count: &domain::FacetCount| FacetBucket { facets: Arc::clone(known), count: *count };
            let domain::Facet { key, label } = known.all()[*facet].clone();
            Facet { key, label, buckets: counts.iter().map(bucket).collect() }
        });
        Self {
            page_info: InOrder(PageInfo {
                has_next_page: found.hits.len() > page.first,
                has_previous_page: page.after.is_some(),
                start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                end_cursor: edges.last().map(|edge| edge.cursor.clone()),
            }),
            edges: Listed(edges),
            total_count: i32::try_from(found.total).ok(),
            facets: facets.collect(),
            corrected_query: corrected.clone(),
            took_ms,
            id,
        }
    }
}

/// What somebody may mean who has typed so far.
#[derive(SimpleObject)]
pub struct Suggestion {
    /// The text to show.
    pub text: String,
    /// The product that is meant.
    pub product: Option<Product>,
    /// The category that is meant.
    pub category: Option<Category>,
}

impl Suggestion {
    /// How a suggestion is shown.
    pub fn new(suggested: Suggested, locale: &str) -> Self {
        match suggested {
            Suggested::Category(id, name) => {
                Self { text: name, product: None, category: Some(Category { id: id.into() }) }
            }
            Suggested::Product(entry) => Self {
                text: entry.title(locale).to_owned(),
                product: Some(Product { id: entry.product.id.into() }),
                category: None,
            },
        }
    }
}
