//! Entities of other subgraphs, as far as search adds to them or refers to them.

use async_graphql::{Context, ID, Object, Result};
use common::id::ProductId;
use common::{Fault, PageArgs};
use subgraph::graphql::{parse_id, shop, viewer};

use super::finder;
use super::recommendation::{RecommendationIntent, RecommendationSet};

/// A product.
pub struct Product {
    pub id: ID,
}

/// A product: what shoppers look at. What they buy is one of its variants.
#[Object]
impl Product {
    /// The product's id.
    pub async fn id(&self) -> &ID {
        &self.id
    }

    /// Products that go with it.
    async fn recommendations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What for.", default_with = "Some(RecommendationIntent::Related)")] intent: Option<
            RecommendationIntent,
        >,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(8)")] first: Option<i32>,
    ) -> Result<Option<RecommendationSet>> {
        let count = PageArgs::parse(first.unwrap_or(8), None).map_err(Fault::from)?.first;
        let finder = finder(context)?;
        let intent = intent.unwrap_or(RecommendationIntent::Related).into();
        let products = finder.recommend(parse_id(&self.id)?, intent, count, shop(context)).await?;
        Ok(Some(RecommendationSet::new(finder, products)))
    }
}

/// A variant of a product.
pub struct ProductVariant {
    pub id: ID,
}

/// A variant of a product: what can be bought.
#[Object(unresolvable = "id")]
impl ProductVariant {
    /// The variant's id.
    async fn id(&self) -> &ID {
        &self.id
    }
}

/// A category.
pub struct Category {
    pub id: ID,
}

/// A category of products.
#[Object(unresolvable = "id")]
impl Category {
    /// The category's id.
    async fn id(&self) -> &ID {
        &self.id
    }
}

/// A user.
pub struct User {
    pub id: ID,
}

/// A person with an account.
#[Object]
impl User {
    /// The account's id.
    pub async fn id(&self) -> &ID {
        &self.id
    }

    /// Products that go with what the viewer looked at; null for anybody else's account.
    async fn recommendations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(12)")] first: Option<i32>,
    ) -> Result<Option<RecommendationSet>> {
        let count = PageArgs::parse(first.unwrap_or(12), None).map_err(Fault::from)?.first;
        let viewer = viewer(context);
        let Some(own) = viewer.user_id().filter(|own| self.id.parse() == Ok(*own)) else { return Ok(None) };
        let finder = finder(context)?;
        let products = finder.recommend_to(Some(own), count, &viewer.context).await?;
        Ok(Some(RecommendationSet::new(finder, products)))
    }

    /// What the viewer looked at, the latest first; null for anybody else's account.
    async fn recently_viewed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(12)")] first: Option<i32>,
    ) -> Result<Option<Vec<Product>>> {
        let count = PageArgs::parse(first.unwrap_or(12), None).map_err(Fault::from)?.first;
        let Some(own) = viewer(context).user_id().filter(|own| self.id.parse() == Ok(*own)) else {
            return Ok(None);
        };
        let products = finder(context)?.recently_viewed(own, count).await?;
        Ok(Some(products.into_iter().map(|id| Product { id: id.into() }).collect()))
    }
}

/// A cart, with what the gateway brought along from it.
pub struct Cart {
    pub id: ID,
    pub product_ids: Vec<ID>,
}

/// What somebody is about to buy.
#[Object]
impl Cart {
    /// The cart's id.
    pub async fn id(&self) -> &ID {
        &self.id
    }

    /// The products in it.
    #[graphql(external)]
    async fn product_ids(&self) -> &[ID] {
        &self.product_ids
    }

    /// What others bought together with what is in it, and nothing that is in it; then what sells. For an empty cart,
    /// what goes with what a logged-in viewer looked at.
    #[graphql(requires = "productIds")]
    async fn recommendations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(4)")] first: Option<i32>,
    ) -> Result<Option<RecommendationSet>> {
        let count = PageArgs::parse(first.unwrap_or(4), None).map_err(Fault::from)?.first;
        let finder = finder(context)?;
        let contents = self.product_ids.iter().map(parse_id).collect::<Result<Vec<ProductId>, Fault>>()?;
        let products = match contents.is_empty() {
            true => finder.recommend_to(viewer(context).user_id(), count, shop(context)).await?,
            false => finder.recommend_beside(&contents, count, shop(context)).await?,
        };
        Ok(Some(RecommendationSet::new(finder, products)))
    }
}
