//! The ways in, and the references by which the gateway comes back to an entity.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use common::{Fault, Id};
use subgraph::graphql::{InOrder, parse_id, shop, viewer};

use super::category::Category;
use super::channel::Channel;
use super::loader::Loaders;
use super::node::{self, Node};
use super::part;
use super::product::Product;
use super::review::Review;
use super::variant::ProductVariant;
use crate::domain;
use crate::service::Catalog;

/// Where reading begins.
pub struct Query;

/// Most ids that `nodes` takes.
const MOST_NODES: usize = 100;

/// Where reading begins.
#[Object]
impl Query {
    /// The sales channel of this request, chosen by the `x-channel` header.
    async fn channel(&self, context: &Context<'_>) -> Result<Channel> {
        let channel = part::<Catalog>(context)?.channel(&shop(context).channel).await?;
        Ok(Channel(channel))
    }

    /// A product by its id or its slug; null where there is none, it is not on sale, or the channel does not show it.
    async fn product(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The product's id.")] id: Option<ID>,
        #[graphql(desc = "The product's unique name in URLs. Ignored where `id` is given.")] slug: Option<
            String,
        >,
    ) -> Result<Option<Product>> {
        let loaders = Loaders::of(context)?;
        let found = match (id, slug) {
            (Some(id), _) => loaders.products.load(parse_id(&id)?).await?,
            (None, Some(slug)) => loaders.products_by_slug.load(slug).await?,
            (None, None) => return Err(Fault::bad_input("Give an 'id' or a 'slug'.").into()),
        };
        let visible = |product: &Arc<domain::Product>| {
            product.is_visible_in(&shop(context).channel) || viewer(context).has_scope("catalog:write")
        };
        Ok(found.filter(visible).map(Product))
    }

    /// A category by its id or its slug; null where there is none.
    async fn category(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The category's id.")] id: Option<ID>,
        #[graphql(desc = "The category's unique name in URLs. Ignored where `id` is given.")] slug: Option<
            String,
        >,
    ) -> Result<Option<Category>> {
        let categories = part::<Catalog>(context)?.categories().await?;
        let found = match (id, slug) {
            (Some(id), _) => categories.by_id(parse_id(&id)?),
            (None, Some(slug)) => categories.by_slug(&slug),
            (None, None) => return Err(Fault::bad_input("Give an 'id' or a 'slug'.").into()),
        };
        Ok(found.cloned().map(Category))
    }

    /// The categories, in the order in which they are shown.
    async fn categories(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those without a parent.", default_with = "Some(true)")] root_only: Option<
            bool,
        >,
    ) -> Result<Vec<Category>> {
        let categories = part::<Catalog>(context)?.categories().await?;
        Ok(if root_only.unwrap_or(true) {
            categories.roots().cloned().map(Category).collect()
        } else {
            categories.all().cloned().map(Category).collect()
        })
    }

    /// Any entity by its id; null where there is none.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The entity's id; its prefix names the type.")] id: ID,
    ) -> Result<Option<Node>> {
        node::load(context, &id).await
    }

    /// Entities by their ids, in the same order, with null where there is none. At most 100.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The entities' ids; their prefixes name the types.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST_NODES {
            return Err(Fault::bad_input(format!("At most {MOST_NODES} ids at once.")).into());
        }
        futures::future::try_join_all(ids.iter().map(|id| node::load(context, id))).await
    }

    #[graphql(entity)]
    async fn find_product_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<InOrder<Product>>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(Loaders::of(context)?.products.load(id).await?.map(Product).map(InOrder))
    }

    #[graphql(entity)]
    async fn find_product_by_slug(
        &self,
        context: &Context<'_>,
        slug: String,
    ) -> Result<Option<InOrder<Product>>> {
        Ok(Loaders::of(context)?.products_by_slug.load(slug).await?.map(Product).map(InOrder))
    }

    #[graphql(entity)]
    async fn find_variant_by_id(
        &self,
        context: &Context<'_>,
        id: ID,
    ) -> Result<Option<InOrder<ProductVariant>>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(Loaders::of(context)?.variants.load(id).await?.map(ProductVariant).map(InOrder))
    }

    #[graphql(entity)]
    async fn find_variant_by_sku(
        &self,
        context: &Context<'_>,
        sku: String,
    ) -> Result<Option<ProductVariant>> {
        Ok(Loaders::of(context)?.variants_by_sku.load(sku).await?.map(ProductVariant))
    }

    #[graphql(entity)]
    async fn find_category_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Category>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(part::<Catalog>(context)?.categories().await?.by_id(id).cloned().map(Category))
    }

    #[graphql(entity)]
    async fn find_category_by_slug(&self, context: &Context<'_>, slug: String) -> Result<Option<Category>> {
        Ok(part::<Catalog>(context)?.categories().await?.by_slug(&slug).cloned().map(Category))
    }

    #[graphql(entity)]
    async fn find_review_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Review>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(Loaders::of(context)?.reviews.load(id).await?.map(Review))
    }

    #[graphql(entity)]
    async fn find_channel_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Channel>> {
        let Ok(id) = id.parse::<Id<common::id::Channel>>() else { return Ok(None) };
        Ok(part::<Catalog>(context)?.channel_by_id(id).await?.map(Channel))
    }
}
