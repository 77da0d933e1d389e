//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use std::sync::Arc;

use async_graphql::Context;
use common::Fault;
use common::id::{ProductId, ReviewId, VariantId};
use database::Loader;

use super::part;
use crate::domain::{Product, Variant};
use crate::entity::review;
use crate::service::Catalog;

/// The loaders of one request.
pub struct Loaders {
    pub products: Loader<ProductId, Arc<Product>>,
    pub products_by_slug: Loader<String, Arc<Product>>,
    pub variants: Loader<VariantId, Arc<Variant>>,
    pub variants_by_sku: Loader<String, Arc<Variant>>,
    pub variants_of: Loader<ProductId, Arc<[Arc<Variant>]>>,
    pub reviews: Loader<ReviewId, review::Model>,
    pub newest_reviews: Loader<(ProductId, u64), Arc<[review::Model]>>,
}

impl Loaders {
    /// Fresh loaders over a catalogue.
    pub fn new(catalog: &Catalog) -> Self {
        let over = || catalog.clone();
        let (one, two, three, four, five, six, seven) =
            (over(), over(), over(), over(), over(), over(), over());
        Self {
            products: Loader::new(move |ids| {
                let catalog = one.clone();
                async move { catalog.products(ids).await }
            }),
            products_by_slug: Loader::new(move |slugs| {
                let catalog = two.clone();
                async move { catalog.products_by_slug(slugs).await }
            }),
            variants: Loader::new(move |ids| {
                let catalog = three.clone();
                async move { catalog.variants(ids).await }
            }),
            variants_by_sku: Loader::new(move |skus| {
                let catalog = four.clone();
                async move { catalog.variants_by_sku(skus).await }
            }),
            variants_of: Loader::new(move |products| {
                let catalog = five.clone();
                async move { catalog.variants_of(products).await }
            }),
            reviews: Loader::new(move |ids| {
                let catalog = six.clone();
                async move { catalog.reviews(ids).await }
            }),
            newest_reviews: Loader::new(move |keys| {
                let catalog = seven.clone();
                async move { catalog.newest_reviews(keys).await }
            }),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}
