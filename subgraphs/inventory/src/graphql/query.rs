//! The ways in, and the references by which the gateway comes back to an entity.

use async_graphql::{Context, ID, Object, Result};
use subgraph::graphql::{InOrder, Scope, viewer};

use super::loader::Loaders;
use super::part;
use super::reference::{CartLine, Product, ProductVariant};
use super::stock::{Reservation, StockLocation};
use crate::service::Inventory;

/// Where reading begins.
pub struct Query;

/// Where reading begins.
#[Object]
impl Query {
    /// All places where stock lies, by their codes.
    #[graphql(guard = "Scope(\"inventory:read\")", requires_scopes = "inventory:read")]
    async fn stock_locations(&self, context: &Context<'_>) -> Result<Vec<StockLocation>> {
        let locations = part::<Inventory>(context)?.locations().await?;
        Ok(locations.into_iter().map(StockLocation::from).collect())
    }

    #[graphql(entity)]
    async fn find_variant(&self, id: ID) -> Option<InOrder<ProductVariant>> {
        id.parse().ok().map(ProductVariant::new).map(InOrder)
    }

    #[graphql(entity)]
    async fn find_product(&self, id: ID) -> Option<InOrder<Product>> {
        id.parse().ok().map(Product).map(InOrder)
    }

    #[graphql(entity)]
    async fn find_cart_line(&self, id: ID) -> Option<CartLine> {
        id.parse().ok().map(CartLine)
    }

    #[graphql(entity)]
    async fn find_location(&self, context: &Context<'_>, id: ID) -> Result<Option<StockLocation>> {
        let viewer = viewer(context);
        match id.parse() {
            Ok(id) if viewer.is_service() || viewer.has_scope("inventory:read") => {
                Ok(Loaders::of(context)?.locations.load(id).await?.map(StockLocation::from))
            }
            _ => Ok(None),
        }
    }

    #[graphql(entity)]
    async fn find_reservation(&self, context: &Context<'_>, id: ID) -> Result<Option<Reservation>> {
        let viewer = viewer(context);
        match id.parse() {
            Ok(id) if viewer.is_service() || viewer.has_scope("inventory:read") => {
                Ok(Loaders::of(context)?.reservations.load(id).await?.map(Reservation::from))
            }
            _ => Ok(None),
        }
    }
}
