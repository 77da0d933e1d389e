//! The ways in, and the references by which the gateway comes back to an entity.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use common::id::{CartId, CartLineId, WishlistId};
use subgraph::graphql::{InOrder, parse_id, viewer};

use super::cart::Cart;
use super::line::CartLine;
use super::loader::Loaders;
use super::user::User;
use super::variant::{ListPriceInput, ProductVariant};
use super::wishlist::Wishlist;

/// Where reading begins.
pub struct Query;

/// Where reading begins.
#[Object]
impl Query {
    /// A cart by its id, or without one the viewer's own that is being filled or checked out; null where there is none
    /// or it is somebody else's. Whoever knows the id of a guest's cart can see and change it.
    async fn cart(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart's id.")] id: Option<ID>,
    ) -> Result<Option<Cart>> {
        match id {
            Some(id) => cart(context, parse_id(&id)?).await,
            None => {
                let Some(user) = viewer(context).user_id() else { return Ok(None) };
                Ok(Loaders::of(context)?.current.load(user).await?.map(Cart::from))
            }
        }
    }

    #[graphql(entity)]
    async fn find_cart_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Cart>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        cart(context, id).await
    }

    #[graphql(entity)]
    async fn find_cart_line_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<CartLine>> {
        let Ok(id) = id.parse::<CartLineId>() else { return Ok(None) };
        let Some(of) = Loaders::of(context)?.carts_of_lines.load(id).await? else { return Ok(None) };
        let Some(cart) = cart(context, of).await? else { return Ok(None) };
        let priced = cart.priced(context).await?;
        let place = priced.basket.lines.iter().position(|line| line.id == id);
        Ok(place.map(|place| CartLine { priced: Arc::clone(priced), place }))
    }

    #[graphql(entity)]
    async fn find_wishlist_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Wishlist>> {
        let (Ok(id), Some(user)) = (id.parse::<WishlistId>(), viewer(context).user_id()) else {
            return Ok(None);
        };
        Ok(Loaders::of(context)?.wishlists.load((user, id)).await?.map(Wishlist))
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        id.parse().ok().map(|id| User { id })
    }

    #[graphql(entity)]
    async fn find_variant_by_id(
        &self,
        #[graphql(key)] id: ID,
        list_price: Option<ListPriceInput>,
        tax_class: Option<String>,
    ) -> Option<InOrder<ProductVariant>> {
        let list_price = list_price.map(common::Money::from);
        id.parse().ok().map(|id| InOrder(ProductVariant { id, list_price, tax_class }))
    }
}

async fn cart(context: &Context<'_>, id: CartId) -> Result<Option<Cart>> {
    let viewer = Arc::clone(viewer(context));
    Ok(Loaders::of(context)?.carts.load((id, viewer)).await?.map(Cart::from))
}
