//! How refusals and warnings look in the schema.

use async_graphql::{Enum, ID, Interface, SimpleObject};

use crate::domain::{self, CartState, CodeProblem, Refusal, Warning};

/// Why a change to a cart or wish list is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum CartErrorCode {
    /// An input is not as it must be.
    Invalid,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// A checkout is under way.
    Frozen,
    /// It was changed since the version that was seen.
    VersionConflict,
    /// There is not enough of it in stock.
    InsufficientStock,
    /// More than a cart may hold.
    QuantityLimit,
    /// Nobody knows this code.
    CodeNotFound,
    /// The code takes nothing off this cart.
    CodeNotApplicable,
    /// It is not sold in this currency.
    CurrencyMismatch,
    /// It is not sold in this channel.
    UnavailableInChannel,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
}

/// Why a change to a cart or wish list is refused.
#[derive(SimpleObject)]
pub struct CartUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: CartErrorCode,
    /// The cart's line that is concerned.
    pub line_id: Option<ID>,
    /// How many could be had instead.
    pub available_quantity: Option<i32>,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    Cart(CartUserError),
}

/// What a warning is about.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum CartWarningCode {
    /// The list price of an article changed since it was put into the cart.
    PriceChanged,
    /// There were more of an article than a cart may hold.
    QuantityClamped,
    /// An article is no longer sold and was removed.
    LineRemoved,
    /// A code does not apply any more and was removed.
    PromotionRemoved,
    /// The stock that was set aside for an article is free again.
    ReservationExpired,
    /// Articles of the cart from before the login were added.
    MergedFromGuest,
}

impl From<domain::WarningCode> for CartWarningCode {
    fn from(code: domain::WarningCode) -> Self {
        match code {
            domain::WarningCode::PriceChanged => Self::PriceChanged,
            domain::WarningCode::QuantityClamped => Self::QuantityClamped,
            domain::WarningCode::LineRemoved => Self::LineRemoved,
            domain::WarningCode::PromotionRemoved => Self::PromotionRemoved,
            domain::WarningCode::MergedFromGuest => Self::MergedFromGuest,
        }
    }
}

/// Something that the buyer should know of a change that went through.
#[derive(SimpleObject)]
pub struct CartWarning {
    /// What it is about, for programs.
    pub code: CartWarningCode,
    /// What it is about, for people.
    pub message: String,
    /// The cart's line that is concerned.
    pub line_id: Option<ID>,
}

impl From<Warning> for CartWarning {
    fn from(warning: Warning) -> Self {
        Self { code: warning.code.into(), message: warning.message, line_id: warning.line.map(ID::from) }
    }
}

impl CartUserError {
    fn new(code: CartErrorCode, message: impl Into<String>, path: &[&str]) -> Self {
        let field = std::iter::once("input").chain(path.iter().copied()).map(str::to_owned).collect();
        Self { message: message.into(), field: Some(field), code, line_id: None, available_quantity: None }
    }

    fn of_line(code: CartErrorCode, message: impl Into<String>, index: usize, part: &str) -> Self {
        Self::new(code, message, &["lines", &index.to_string(), part])
    }
}

impl From<Refusal> for CartUserError {
    fn from(refusal: Refusal) -> Self {
        use CartErrorCode::{
            CurrencyMismatch, Frozen, IdempotencyKeyReused, Invalid, NotFound, QuantityLimit,
            UnavailableInChannel, VersionConflict,
        };
        match refusal {
            Refusal::CartNotFound => Self::new(NotFound, "There is no such cart.", &["cartId"]),
            Refusal::Frozen => Self::new(Frozen, "A checkout of this cart is under way.", &["cartId"]),
            Refusal::Closed(state) => Self::new(Invalid, closed(state), &["cartId"]),
            Refusal::VersionConflict { current } => {
                let message = format!("The cart was changed: it is at version {current} now.");
                Self::new(VersionConflict, message, &["expectedVersion"])
            }
            Refusal::KeyReused => {
                let message = "The idempotency key was used for another request.";
                Self::new(IdempotencyKeyReused, message, &["idempotencyKey"])
            }
            Refusal::NoLines => Self::new(Invalid, "Name at least one line.", &["lines"]),
            Refusal::TooManyLines => Self::new(QuantityLimit, "A cart has at most 100 lines.", &["lines"]),
            Refusal::UnknownVariant(index) => {
                Self::of_line(NotFound, "There is no such variant.", index, "variantId")
            }
            Refusal::NotSold(index) => {
                Self::of_line(UnavailableInChannel, "This is not sold here.", index, "variantId")
            }
            Refusal::NoPrice(index, currency) => {
                let message = format!("This is not sold in {currency}.");
                Self::of_line(CurrencyMismatch, message, index, "variantId")
            }
            Refusal::BadQuantity(index) => Self::of_line(Invalid, "This is no quantity.", index, "quantity"),
            Refusal::QuantityLimit { index, available, line } => Self {
                line_id: line.map(ID::from),
                available_quantity: Some(available),
                ..Self::of_line(QuantityLimit, "A line has at most 999 articles.", index, "quantity")
            },
            Refusal::UnknownLine(index) => {
                Self::of_line(NotFound, "There is no such line in this cart.", index, "id")
            }
            Refusal::UnknownCurrency(currency) => {
                let message = format!("The shop does not sell in {currency}.");
                Self::new(CurrencyMismatch, message, &["currency"])
            }
            Refusal::BadEmail => Self::new(Invalid, "This is not an e-mail address.", &["email"]),
            Refusal::AddressMissing => {
                Self::new(Invalid, "Give an 'addressId', an 'address' or a 'billing' address.", &["address"])
            }
            Refusal::AddressTwice => {
                Self::new(Invalid, "Give an 'addressId' or an 'address', not both.", &["addressId"])
            }
            Refusal::UnknownAddress => Self::new(NotFound, "There is no such address.", &["addressId"]),
            Refusal::BadAddress(part) => {
                Self::new(Invalid, "This has more than 200 characters.", &["address", part])
            }
            Refusal::UnknownDelivery => {
                Self::new(Invalid, "This cart cannot be sent so.", &["deliveryOptionId"])
            }
            Refusal::TooManyCodes => Self::new(Invalid, "A cart has at most 10 codes.", &["codes"]),
            Refusal::WishlistNotFound => Self::new(NotFound, "There is no such wish list.", &["wishlistId"]),
            Refusal::WishlistFull => {
                Self::new(QuantityLimit, "A wish list has at most 500 articles.", &["variantId"])
            }
            Refusal::UnknownWish => Self::new(NotFound, "There is no such variant.", &["variantId"]),
        }
    }
}

fn closed(state: CartState) -> &'static str {
    match state {
        CartState::Ordered => "This cart was ordered.",
        CartState::Merged => "This cart was merged into another one.",
        CartState::Active | CartState::Frozen | CartState::Abandoned => {
            "This cart cannot be changed any more."
        }
    }
}

impl From<CodeProblem> for CartUserError {
    fn from(problem: CodeProblem) -> Self {
        match problem {
            CodeProblem::Unknown { index, code } => Self::new(
                CartErrorCode::CodeNotFound,
                format!("There is no code {code}."),
                &["codes", &index.to_string()],
            ),
            CodeProblem::NotApplicable { index, code, reason } => Self::new(
                CartErrorCode::CodeNotApplicable,
                format!("The code {code} does not apply: {reason}."),
                &["codes", &index.to_string()],
            ),
        }
    }
}
