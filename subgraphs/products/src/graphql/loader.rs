//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
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
    /// Fresh loaders over a catalogue. What it has in memory is answered without waiting for a batch.
    pub fn new(catalog: &Arc<Catalog>) -> Self {
        Self {
            products: over(catalog, |catalog, ids| async move { catalog.products(ids).await })
                .knowing(peek(catalog, Catalog::known_product)),
            products_by_slug: over(
                catalog,
                |catalog, slugs| async move { catalog.products_by_slug(slugs).await },
            )
            .knowing(peek(catalog, Catalog::known_by_slug)),
            variants: over(catalog, |catalog, ids| async move { catalog.variants(ids).await })
                .knowing(peek(catalog, Catalog::known_variant)),
            variants_by_sku: over(
                catalog,
                |catalog, skus| async move { catalog.variants_by_sku(skus).await },
            ),
            variants_of: over(
                catalog,
                |catalog, products| async move { catalog.variants_of(products).await },
            )
            .knowing(peek(catalog, Catalog::known_variants_of)),
            reviews: over(catalog, |catalog, ids| async move { catalog.reviews(ids).await }),
            newest_reviews: over(catalog, |catalog, keys| async move { catalog.newest_reviews(keys).await })
                .knowing(peek(catalog, Catalog::known_reviews)),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}

fn over<K, V, Fut>(
    catalog: &Arc<Catalog>,
    fetch: impl Fn(Arc<Catalog>, Vec<K>) -> Fut + Send + Sync + 'static,
) -> Loader<K, V>
where
    K: Eq + Hash + Clone + Debug + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<HashMap<K, V>, Fault>> + Send + 'static,
{
    let catalog = Arc::clone(catalog);
    Loader::new(move |keys| fetch(Arc::clone(&catalog), keys))
}

fn peek<K, V>(
    catalog: &Arc<Catalog>,
    known: fn(&Catalog, &K) -> Option<V>,
) -> impl Fn(&K) -> Option<V> + use<K, V> {
    let catalog = Arc::clone(catalog);
    move |key| known(&catalog, key)
}
