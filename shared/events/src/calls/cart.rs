//! What `orders` asks of `cart` during a checkout.

use common::id::{CartId, CartLineId, CheckoutAttemptId, ProductId, UserId, VariantId};
use common::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::Call;

/// Freezes an active cart for one checkout attempt, if its version and total are what the buyer saw. Asked again for
/// the same attempt, it answers the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FreezeCart {
    /// Which cart.
    pub cart: CartId,
    /// Who checks out; nobody for a guest.
    pub buyer: Option<UserId>,
    /// The attempt that it is frozen for.
    pub attempt: CheckoutAttemptId,
    /// The version that the buyer saw.
    pub version: i32,
    /// The total that the buyer saw.
    pub expected_total: Money,
}

/// What comes of freezing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum FreezeCartReply {
    /// It is frozen; this is what is in it.
    Frozen(Box<CartSnapshot>),
    /// It is not there, or not the buyer's.
    NotFound,
    /// It is empty, or lacks an address, an e-mail address or a delivery option; the text says which.
    Incomplete {
        /// The input field that is to blame, and what is wrong, for the buyer to read.
        message: String,
    },
    /// It is frozen for another attempt, merged or ordered.
    NotActive,
    /// It was changed since the buyer saw it.
    VersionConflict {
        /// Its version now.
        current_version: i32,
    },
    /// It comes to something else.
    TotalMismatch {
        /// Its total now.
        current_total: Money,
        /// Its version now.
        current_version: i32,
    },
}

impl Call for FreezeCart {
    const SUBGRAPH: &'static str = "cart";
    const DOCUMENT: &'static str =
        "mutation CartFreeze($request: ServiceCall!) { reply: cartFreeze(request: $request) }";
    type Reply = FreezeCartReply;
}

/// Makes a cart that is frozen for this attempt active again. Does nothing if it is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThawCart {
    /// Which cart.
    pub cart: CartId,
    /// The attempt that failed.
    pub attempt: CheckoutAttemptId,
}

impl Call for ThawCart {
    const SUBGRAPH: &'static str = "cart";
    const DOCUMENT: &'static str =
        "mutation CartThaw($request: ServiceCall!) { reply: cartThaw(request: $request) }";
    type Reply = ();
}

/// Marks a cart that is frozen for this attempt as ordered. Does nothing if it is already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompleteCart {
    /// Which cart.
    pub cart: CartId,
    /// The attempt that went through.
    pub attempt: CheckoutAttemptId,
}

impl Call for CompleteCart {
    const SUBGRAPH: &'static str = "cart";
    const DOCUMENT: &'static str =
        "mutation CartComplete($request: ServiceCall!) { reply: cartComplete(request: $request) }";
    type Reply = ();
}

/// A cart as it was frozen. `total` = `subtotal` − `discount` + `shipping` + `tax` where prices are net, without `tax`
/// where they include it; the lines add up to the totals exactly.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartSnapshot {
    /// Which cart.
    pub id: CartId,
    /// Its version.
    pub version: i32,
    /// What everything is in.
    pub currency: Currency,
    /// Language of the buyer.
    pub locale: String,
    /// Where to write to.
    pub email: String,
    /// Where to send the goods.
    pub shipping_address: PostalAddress,
    /// Where to send the bill; the same where missing.
    pub billing_address: Option<PostalAddress>,
    /// How to send them.
    pub delivery_option: String,
    /// What is in it.
    pub lines: Vec<CartSnapshotLine>,
    /// Sum of the lines before discounts.
    pub subtotal: Money,
    /// What promotions take off, as a positive amount.
    pub discount: Money,
    /// What sending costs.
    pub shipping: Money,
    /// Tax, shipping's included.
    pub tax: Money,
    /// Whether prices include the tax.
    pub tax_included: bool,
    /// What is to be paid.
    pub total: Money,
}

/// A line of a frozen cart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartSnapshotLine {
    /// Which line.
    pub id: CartLineId,
    /// The variant.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// Stock keeping unit.
    pub sku: String,
    /// Name of product and variant.
    pub title: String,
    /// How many.
    pub quantity: i32,
    /// Price of one.
    pub unit_price: Money,
    /// What promotions take off the line, as a positive amount.
    pub discount: Money,
    /// Tax of the line.
    pub tax: Money,
    /// Price times quantity less discount.
    pub total: Money,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// Who receives.
    pub recipient: String,
    /// Street and number.
    pub line1: String,
    /// What does not fit there.
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State or province.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// Where to call.
    pub phone: Option<String>,
}
