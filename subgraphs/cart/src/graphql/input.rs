//! What mutations take.

use async_graphql::{Enum, ID, InputObject};
use common::Fault;
use subgraph::graphql::{CountryCode, CurrencyCode, IdempotencyKey, parse_id};

use super::address::CartAddressFieldsInput;
use crate::domain::{self, LineChange, LineWanted};

/// A variant to put into a cart.
#[derive(InputObject)]
pub struct CartLineInput {
    /// Which variant.
    pub variant_id: ID,
    /// How many, 1 to 999.
    pub quantity: i32,
}

/// A cart to be made.
#[derive(InputObject)]
pub struct CartCreateInput {
    /// What is in it from the beginning.
    pub lines: Option<Vec<CartLineInput>>,
    /// Where it will be sent; the country of the request where not given.
    pub country_code: Option<CountryCode>,
    /// What it is priced in; the currency of the request where not given.
    pub currency: Option<CurrencyCode>,
    /// The same request sent twice with the same key makes one cart.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Variants to put into a cart.
#[derive(InputObject)]
pub struct CartLinesAddInput {
    /// Which cart.
    pub cart_id: ID,
    /// What to put into it; a variant that is in it already adds to its line. All of them, or none where one is
    /// refused.
    pub lines: Vec<CartLineInput>,
    /// The same request sent twice with the same key adds once.
    pub idempotency_key: IdempotencyKey,
    /// The cart's version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
}

/// A line to be changed.
#[derive(InputObject)]
pub struct CartLineUpdateInput {
    /// Which line.
    pub id: ID,
    /// How many, up to 999; zero removes the line.
    pub quantity: i32,
}

/// Lines to be changed.
#[derive(InputObject)]
pub struct CartLinesUpdateInput {
    /// Which cart.
    pub cart_id: ID,
    /// The lines with their new quantities. All of them, or none where one is refused.
    pub lines: Vec<CartLineUpdateInput>,
    /// The cart's version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
}

/// Addresses of a cart. What is not given stays.
#[derive(InputObject)]
pub struct CartAddressInput {
    /// Which cart.
    pub cart_id: ID,
    /// Where to send the goods: an address of the viewer's address book.
    pub address_id: Option<ID>,
    /// Where to send the goods: any address, as far as it is known.
    pub address: Option<CartAddressFieldsInput>,
    /// Where to send the bill, if not with the goods.
    pub billing: Option<CartAddressFieldsInput>,
    /// The cart's version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
}

/// Who buys.
#[derive(InputObject)]
pub struct CartBuyerInput {
    /// Which cart.
    pub cart_id: ID,
    /// Where to write to the buyer.
    pub email: String,
    /// The cart's version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
}

/// A delivery option to be chosen.
#[derive(InputObject)]
pub struct CartDeliverySelectInput {
    /// Which cart.
    pub cart_id: ID,
    /// One of the cart's `deliveryOptions`.
    pub delivery_option_id: ID,
    /// The cart's version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
}

/// Promotion codes of a cart.
#[derive(InputObject)]
pub struct CartCodesInput {
    /// Which cart.
    pub cart_id: ID,
    /// All codes that shall apply, in upper or lower case; none removes all. A code that is no good is a user error
    /// and leaves the others as they are.
    pub codes: Vec<String>,
    /// The cart's version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
}

/// Whose quantity counts where both carts have a variant. What only one of them has is kept in any case.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Default)]
#[graphql(remote = "domain::MergePolicy")]
pub enum CartMergePolicy {
    /// Both together, up to 999.
    #[default]
    SumCapped,
    /// The larger one.
    Max,
    /// The guest cart's.
    KeepGuest,
    /// The customer cart's.
    KeepCustomer,
}

/// A guest's cart to be merged into the viewer's.
#[derive(InputObject)]
pub struct CartMergeInput {
    /// The cart from before the login.
    pub guest_cart_id: ID,
    /// Whose quantity counts where both carts have a variant.
    #[graphql(default_with = "Some(CartMergePolicy::default())")]
    pub policy: Option<CartMergePolicy>,
    /// The same request sent twice with the same key merges once.
    pub idempotency_key: IdempotencyKey,
}

/// A variant for a wish list.
#[derive(InputObject)]
pub struct WishlistItemInput {
    /// Which wish list; the viewer's first where not given, which is made where there is none.
    pub wishlist_id: Option<ID>,
    /// Which variant.
    pub variant_id: ID,
}

/// The variants that a client wants.
pub fn wanted(lines: Vec<CartLineInput>) -> Result<Vec<LineWanted>, Fault> {
    let read = |line: CartLineInput| {
        Ok(LineWanted { variant: parse_id(&line.variant_id)?, quantity: line.quantity })
    };
    lines.into_iter().map(read).collect()
}

/// The lines that a client changes.
pub fn changes(lines: Vec<CartLineUpdateInput>) -> Result<Vec<LineChange>, Fault> {
    let read =
        |line: CartLineUpdateInput| Ok(LineChange { line: parse_id(&line.id)?, quantity: line.quantity });
    lines.into_iter().map(read).collect()
}
