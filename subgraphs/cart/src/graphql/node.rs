//! Anything that has an id.

use async_graphql::{ID, Interface};

use super::cart::Cart;
use super::line::CartLine;
use super::wishlist::Wishlist;

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
pub enum Node {
    Cart(Cart),
    CartLine(CartLine),
    Wishlist(Wishlist),
}
