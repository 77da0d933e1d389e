//! Changes of stock: by staff, and by checkouts under way.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use events::calls::inventory::{CommitStock, ReleaseStock, ReserveStock};
use subgraph::graphql::{IdempotencyKey, Scope, ServiceCall, ServiceOnly, parse_id, viewer};

use super::part;
use super::refusal::InventoryUserError;
use super::stock::StockLevel;
use crate::service::{Adjustment, Inventory};

/// Where changing begins.
pub struct Mutation;

/// A change of stock by hand.
#[derive(InputObject)]
pub struct StockAdjustInput {
    /// Makes sending it again harmless.
    pub idempotency_key: IdempotencyKey,
    /// Of what.
    pub variant_id: ID,
    /// Where.
    pub location_id: ID,
    /// How many more lie there now, or less.
    pub delta: i32,
    /// How many were seen there before; another number now is a conflict.
    pub change_from_quantity: Option<i32>,
    /// Why; at most 200 characters.
    pub reason: String,
}

/// What comes of a change of stock by hand.
#[derive(SimpleObject)]
pub struct StockAdjustPayload {
    /// The stock after it; null where it is refused.
    pub level: Option<StockLevel>,
    /// Why it is refused.
    pub user_errors: Vec<InventoryUserError>,
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Changes how many of a variant lie in a location: goods came in, were counted, or broke.
    #[graphql(guard = "Scope(\"inventory:write\")", requires_scopes = "inventory:write")]
    async fn stock_adjust(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: StockAdjustInput,
    ) -> Result<StockAdjustPayload> {
        let change = Adjustment {
            variant: parse_id(&input.variant_id)?,
            location: parse_id(&input.location_id)?,
            delta: input.delta,
            change_from: input.change_from_quantity,
            reason: input.reason,
        };
        let actor = viewer(context).actor_name();
        let adjusted = part::<Inventory>(context)?.adjust(&actor, &input.idempotency_key.0, &change).await?;
        Ok(match adjusted {
            Ok(level) => StockAdjustPayload { level: Some(StockLevel(level)), user_errors: Vec::new() },
            Err(refusal) => StockAdjustPayload { level: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Sets stock aside for an order. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn stock_reserve(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `ReserveStock`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let reply = part::<Inventory>(context)?.reserve(&request.read()?).await?;
        Ok(ServiceCall::reply::<ReserveStock>(&reply)?)
    }

    /// Turns what is set aside for an order into allocations. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn stock_commit(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `CommitStock`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: CommitStock = request.read()?;
        let reply = part::<Inventory>(context)?.commit(request.order).await?;
        Ok(ServiceCall::reply::<CommitStock>(&reply)?)
    }

    /// Gives back what is set aside for or allocated to an order. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn stock_release(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `ReleaseStock`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: ReleaseStock = request.read()?;
        part::<Inventory>(context)?.release(request.order).await?;
        Ok(ServiceCall::reply::<ReleaseStock>(&())?)
    }
}
