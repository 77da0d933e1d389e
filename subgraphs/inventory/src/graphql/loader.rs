//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use std::sync::Arc;

use async_graphql::Context;
use common::Fault;
use common::id::{CartLineId, ProductId, ReservationId, StockLocationId, VariantId};
use database::Loader;

use super::part;
use crate::entity::{reservation, stock_level, stock_location};
use crate::service::{Asked, Counted, Inventory};

/// The loaders of one request.
pub struct Loaders {
    pub variants: Loader<Asked<VariantId>, Counted>,
    pub products: Loader<Asked<ProductId>, Counted>,
    pub levels: Loader<VariantId, Vec<stock_level::Model>>,
    pub locations: Loader<StockLocationId, stock_location::Model>,
    pub reservations: Loader<ReservationId, reservation::Model>,
    pub reservations_of_lines: Loader<CartLineId, reservation::Model>,
}

impl Loaders {
    /// Fresh loaders over the stock.
    pub fn new(inventory: &Arc<Inventory>) -> Self {
        let over = || Arc::clone(inventory);
        let (one, two, three, four, five) = (over(), over(), over(), over(), over());
        let (six, known_variants, known_products) = (over(), over(), over());
        Self {
            variants: Loader::new(move |asked| {
                let inventory = one.clone();
                async move { inventory.variants(asked).await }
            })
            .knowing(move |asked| known_variants.known_variant(asked)),
            products: Loader::new(move |asked| {
                let inventory = two.clone();
                async move { inventory.products(asked).await }
            })
            .knowing(move |asked| known_products.known_product(asked)),
            levels: Loader::new(move |variants| {
                let inventory = three.clone();
                async move { inventory.levels(variants).await }
            }),
            locations: Loader::new(move |ids| {
                let inventory = four.clone();
                async move { inventory.locations_by_id(ids).await }
            }),
            reservations: Loader::new(move |ids| {
                let inventory = five.clone();
                async move { inventory.reservations(ids).await }
            }),
            reservations_of_lines: Loader::new(move |lines| {
                let inventory = six.clone();
                async move { inventory.reservations_of_lines(lines).await }
            }),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}
