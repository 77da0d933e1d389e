//! What a cart refuses, and what it warns of.

use common::Currency;
use common::id::CartLineId;

use super::CartState;

/// Why a change to a cart or wish list is refused. An index counts the lines of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such cart, or it is another's.
    CartNotFound,
    /// A checkout is under way.
    Frozen,
    /// It was merged, ordered or abandoned.
    Closed(CartState),
    /// It was changed since the buyer saw it.
    VersionConflict {
        /// Its version now.
        current: i32,
    },
    /// The idempotency key was used for something else.
    KeyReused,
    /// A request without lines.
    NoLines,
    /// More lines than a cart may have.
    TooManyLines,
    /// No such variant.
    UnknownVariant(usize),
    /// Not sold in the cart's channel.
    NotSold(usize),
    /// Sold, but not in the cart's currency.
    NoPrice(usize, Currency),
    /// Zero or negative where at least one is needed, or negative at all.
    BadQuantity(usize),
    /// More of one variant than a cart may have.
    QuantityLimit {
        /// Which line of the request.
        index: usize,
        /// How many it may be at the most.
        available: i32,
        /// The cart's line, where there is one.
        line: Option<CartLineId>,
    },
    /// No such line in this cart.
    UnknownLine(usize),
    /// The shop does not sell in this currency.
    UnknownCurrency(Currency),
    /// Not an e-mail address.
    BadEmail,
    /// No address at all.
    AddressMissing,
    /// Both an address and the id of one.
    AddressTwice,
    /// The address book has no such address.
    UnknownAddress,
    /// A part of an address is too long.
    BadAddress(&'static str),
    /// Not one of the cart's delivery options.
    UnknownDelivery,
    /// More codes than a cart may have.
    TooManyCodes,
    /// No such wish list, or it is another's.
    WishlistNotFound,
    /// The wish list is full.
    WishlistFull,
    /// No such variant, for a wish list.
    UnknownWish,
}

/// What is wrong with a promotion code of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeProblem {
    /// Nobody knows it.
    Unknown {
        /// Which code of the request.
        index: usize,
        /// What was entered.
        code: String,
    },
    /// It takes nothing off this cart.
    NotApplicable {
        /// Which code of the request.
        index: usize,
        /// What was entered.
        code: String,
        /// Why, for the buyer to read.
        reason: &'static str,
    },
}

/// Something that the buyer should know of a change that went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub code: WarningCode,
    pub message: String,
    pub line: Option<CartLineId>,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningCode {
    PriceChanged,
    QuantityClamped,
    LineRemoved,
    PromotionRemoved,
    MergedFromGuest,
}

impl Warning {
    /// A warning about a line.
    pub fn of_line(code: WarningCode, line: CartLineId, message: String) -> Self {
        Self { code, message, line: Some(line) }
    }
}
