//! Recommendations in the schema.

use async_graphql::{ComplexObject, Enum, ID, SimpleObject};
use common::id::{ProductId, RecommendationRunId};
use subgraph::graphql::Listed;

use super::reference::Product;
use crate::domain::Intent;
use crate::service::Finder;

/// How recommendations are computed; named so that their success can be told apart.
const MODEL: &str = "together-1";

/// What recommendations are for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Intent")]
pub enum RecommendationIntent {
    /// In place of the product: the same category, about the same price.
    Related,
    /// Beside the product: what others bought with it.
    Complementary,
    /// What looks like the product: the same material and colour.
    SimilarVisual,
    /// What sells well now.
    Trending,
}

/// Products that are recommended.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct RecommendationSet {
    /// The products, the best first.
    pub products: Listed<Product>,
    /// How they were found.
    pub model_version: String,
    #[graphql(skip)]
    id: RecommendationRunId,
}

#[ComplexObject]
impl RecommendationSet {
    /// Which recommendation this is: send it with `trackEvents` when somebody follows it.
    async fn recommendation_id(&self) -> ID {
        // No two have the same.
        cache::rely_on_others();
        self.id.into()
    }
}

impl RecommendationSet {
    /// These products.
    pub fn new(finder: &Finder, products: Vec<ProductId>) -> Self {
        Self {
            products: products.into_iter().map(|id| Product { id: id.into() }).collect(),
            model_version: MODEL.to_owned(),
            id: finder.ports.ids.next(),
        }
    }
}
