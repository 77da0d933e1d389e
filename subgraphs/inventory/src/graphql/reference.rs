//! What stock adds to the entities of others.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use common::id::{CartLineId, ProductId, VariantId};
use subgraph::graphql::{CountryCode, InOrder, Scope, shop};

use super::availability::{Availability, InventoryPolicy};
use super::loader::Loaders;
use super::part;
use super::stock::{Reservation, StockLevel};
use crate::service::{Counted, Inventory};

/// A variant of a product: what can be bought.
pub struct ProductVariant {
    id: VariantId,
    /// Whether every field is read anew: a subscription lives longer than what its loaders remember.
    live: bool,
}

impl ProductVariant {
    /// The variant, for one request.
    pub fn new(id: VariantId) -> Self {
        Self { id, live: false }
    }

    /// The variant, for one message of a subscription.
    pub fn live(id: VariantId) -> Self {
        Self { id, live: true }
    }

    async fn counted(&self, context: &Context<'_>, country: Option<CountryCode>) -> Result<Option<Counted>> {
        let country = country.map_or_else(|| shop(context).country.clone(), |country| country.0);
        if self.live {
            return Ok(part::<Inventory>(context)?.variant_now(self.id, &country).await?);
        }
        Ok(Loaders::of(context)?.variants.load((self.id, Arc::from(country))).await?)
    }
}

/// A variant of a product: what can be bought.
#[Object]
impl ProductVariant {
    /// The variant's id.
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// How it is stocked.
    async fn inventory_policy(&self, context: &Context<'_>) -> Result<Option<InventoryPolicy>> {
        Ok(self.counted(context, None).await?.as_ref().map(InventoryPolicy::from))
    }

    /// Whether and how many of it can be bought.
    async fn availability(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Where it is to be sent: what lies in locations that do not send there is not counted. The \
                    country of the request where missing."
        )]
        country_code: Option<CountryCode>,
    ) -> Result<Option<InOrder<Availability>>> {
        Ok(self.counted(context, country_code).await?.as_ref().map(Availability::from).map(InOrder))
    }

    /// How much of it lies where.
    #[graphql(guard = "Scope(\"inventory:read\")", requires_scopes = "inventory:read")]
    async fn stock_levels(&self, context: &Context<'_>) -> Result<Option<Vec<StockLevel>>> {
        let levels = if self.live {
            part::<Inventory>(context)?.levels(vec![self.id]).await?.remove(&self.id)
        } else {
            Loaders::of(context)?.levels.load(self.id).await?
        };
        Ok(Some(levels.unwrap_or_default().into_iter().map(StockLevel).collect()))
    }
}

/// A product.
pub struct Product(pub ProductId);

/// A product.
#[Object]
impl Product {
    /// The product's id.
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// The best availability among its variants, in the country of the request.
    async fn availability(&self, context: &Context<'_>) -> Result<Option<InOrder<Availability>>> {
        let country = Arc::from(shop(context).country.as_str());
        let counted = Loaders::of(context)?.products.load((self.0, country)).await?;
        Ok(counted.as_ref().map(Availability::from).map(InOrder))
    }
}

/// A line of a cart.
pub struct CartLine(pub CartLineId);

/// A line of a cart.
#[Object]
impl CartLine {
    /// The line's id.
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// What is set aside for this very line since its checkout began; null before, and when it was given back. Where
    /// several locations serve the line, it has the id of the first one's reservation and all their goods.
    async fn reservation(&self, context: &Context<'_>) -> Result<Option<Reservation>> {
        Ok(Loaders::of(context)?.reservations_of_lines.load(self.0).await?.map(Reservation::from))
    }
}
