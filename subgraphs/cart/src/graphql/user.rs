//! What carts contribute to a user.

use async_graphql::{Context, ID, Object, Result};
use common::id::UserId;
use subgraph::graphql::viewer;

use super::cart::Cart;
use super::loader::Loaders;
use super::wishlist::Wishlist;

/// A person with an account.
#[derive(Clone, Copy)]
pub struct User {
    pub id: UserId,
}

/// A person with an account.
#[Object]
impl User {
    /// The account's id.
    pub async fn id(&self) -> ID {
        self.id.into()
    }

    /// The cart that the user fills or is checking out; null where there is none or the viewer is somebody else.
    async fn cart(&self, context: &Context<'_>) -> Result<Option<Cart>> {
        if viewer(context).user_id() != Some(self.id) {
            return Ok(None);
        }
        Ok(Loaders::of(context)?.current.load(self.id).await?.map(Cart::from))
    }

    /// The user's wish lists, oldest first; null where the viewer is somebody else.
    async fn wishlists(&self, context: &Context<'_>) -> Result<Option<Vec<Wishlist>>> {
        if viewer(context).user_id() != Some(self.id) {
            return Ok(None);
        }
        let lists = Loaders::of(context)?.wishlists_of.load(self.id).await?.unwrap_or_default();
        Ok(Some(lists.iter().cloned().map(Wishlist).collect()))
    }
}
