//! What mutations give back.

use std::sync::Arc;

use async_graphql::{Context, Result, SimpleObject};
use common::id::CartId;
use subgraph::graphql::viewer;

use super::cart::Cart;
use super::loader::Loaders;
use super::refusal::{CartUserError, CartWarning};
use super::wishlist::Wishlist;
use crate::domain::Refusal;
use crate::service::Edited;

/// What comes of changing a cart.
#[derive(SimpleObject)]
pub struct CartPayload {
    /// The cart after the change; where it is refused, as it is. Null where there is none that the viewer may see.
    pub cart: Option<Cart>,
    /// Why the change is refused.
    pub user_errors: Vec<CartUserError>,
    /// What the buyer should know of the change.
    pub warnings: Vec<CartWarning>,
}

/// What comes of changing a wish list.
#[derive(SimpleObject)]
pub struct WishlistPayload {
    /// The wish list; null where the change is refused.
    pub wishlist: Option<Wishlist>,
    /// Why the change is refused.
    pub user_errors: Vec<CartUserError>,
}

impl CartPayload {
    /// What came of a change to the cart `id`, where there is one.
    pub async fn of(
        context: &Context<'_>,
        id: Option<CartId>,
        outcome: Result<Edited, Refusal>,
    ) -> Result<Self> {
        match outcome {
            Ok(edited) => Ok(Self {
                cart: Some(edited.priced.into()),
                user_errors: edited.problems.into_iter().map(CartUserError::from).collect(),
                warnings: edited.warnings.into_iter().map(CartWarning::from).collect(),
            }),
            Err(refusal) => {
                let found = match id {
                    Some(id) => Loaders::of(context)?.carts.load((id, Arc::clone(viewer(context)))).await?,
                    None => None,
                };
                let cart = found.map(Cart::from);
                Ok(Self { cart, user_errors: vec![refusal.into()], warnings: Vec::new() })
            }
        }
    }
}
