//! The rules of carts, without I/O: what a line costs, what promotions take off, what may become of a cart.

mod address;
mod basket;
mod discount;
mod frozen;
mod line;
mod merge;
mod offer;
mod promotion;
mod quote;
mod refusal;
mod shipping;
mod state;
mod tax;
#[cfg(test)]
pub mod testing;

pub use address::{Address, AddressFields, check_email};
pub use basket::{Basket, Cart, LineChange, LineWanted};
pub use discount::Application;
pub use frozen::{Frozen, snapshot};
pub use line::{LONGEST_CART, Line};
pub use merge::{MergePolicy, merge};
pub use offer::{Offer, OfferDetails};
pub use promotion::{Effect, Promotion, Terms};
pub use quote::{Asked, Priced, Quote, QuotedLine, buyer_price, quote};
pub use refusal::{CodeProblem, Refusal, Warning, WarningCode};
pub use state::CartState;
pub use tax::TaxClass;

use common::Currency;

/// What carts can be in.
pub const CURRENCIES: [Currency; 4] = [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD];

/// The text of a locale, or of its language, or in English, or any.
pub fn localised<'a>(texts: &'a std::collections::BTreeMap<String, String>, locale: &str) -> &'a str {
    let language = locale.split('-').next().unwrap_or(locale);
    let found = texts.get(locale).or_else(|| texts.get(language)).or_else(|| texts.get("en"));
    found.or_else(|| texts.values().next()).map_or("", String::as_str)
}
