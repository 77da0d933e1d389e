//! Live carts.

use std::sync::Arc;

use async_graphql::{Context, ID, Result, Subscription as Streams};
use common::Fault;
use futures::{Stream, StreamExt as _};
use subgraph::graphql::{parse_id, viewer};

use super::cart::Cart;
use super::part;
use crate::service::Carts;

/// Where watching begins.
pub struct Subscription;

/// Where watching begins.
#[Streams]
impl Subscription {
    /// A cart, whenever it changes.
    async fn cart_updated(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart's id.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Cart>> + use<>> {
        let id = parse_id(&id)?;
        let (carts, viewer) = (part::<Carts>(context)?.clone(), Arc::clone(viewer(context)));
        // Watching begins before the first look, so that no change falls between.
        let changes = carts.changes_of(id);
        if carts.carts(&viewer, vec![id]).await?.is_empty() {
            return Err(Fault::bad_input("There is no such cart.").into());
        }
        Ok(changes.filter_map(move |id| {
            let (carts, viewer) = (carts.clone(), viewer.clone());
            async move { cart(&carts, &viewer, id).await.transpose() }
        }))
    }
}

async fn cart(carts: &Carts, viewer: &auth::Viewer, id: common::id::CartId) -> Result<Option<Cart>> {
    let Some(found) = carts.carts(viewer, vec![id]).await?.remove(&id) else { return Ok(None) };
    let lines = carts.lines(vec![id]).await?.remove(&id).unwrap_or_default();
    Ok(Some(carts.priced(Arc::unwrap_or_clone(found), lines).await?.into()))
}
