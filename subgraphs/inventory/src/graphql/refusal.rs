//! How refusals look in the schema.

use async_graphql::{Enum, Interface, SimpleObject};

use crate::domain::AdjustRefusal;

/// Why a change of stock is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum InventoryErrorCode {
    /// An input is not as it must be.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// There is not enough of it.
    InsufficientStock,
    /// Another quantity is there than was seen.
    QuantityConflict,
    /// The key was used for another request.
    IdempotencyKeyReused,
    /// A request with this key is under way.
    IdempotencyInProgress,
}

/// Why a change of stock is refused.
#[derive(SimpleObject)]
pub struct InventoryUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: InventoryErrorCode,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    Inventory(InventoryUserError),
}

impl From<AdjustRefusal> for InventoryUserError {
    fn from(refusal: AdjustRefusal) -> Self {
        use InventoryErrorCode::{
            IdempotencyKeyReused, InsufficientStock, Invalid, NotFound, QuantityConflict,
        };
        let (code, message, field) = match refusal {
            AdjustRefusal::BadDelta => {
                (Invalid, "A change is a number other than 0 and at most a million.".to_owned(), "delta")
            }
            AdjustRefusal::BadReason => (Invalid, "A reason has 1 to 200 characters.".to_owned(), "reason"),
            AdjustRefusal::UnknownVariant => (NotFound, "There is no such variant.".to_owned(), "variantId"),
            AdjustRefusal::UnknownLocation => {
                (NotFound, "There is no such location.".to_owned(), "locationId")
            }
            AdjustRefusal::Insufficient { available } => {
                (InsufficientStock, format!("Only {available} may be taken away."), "delta")
            }
            AdjustRefusal::QuantityConflict { on_hand } => {
                (QuantityConflict, format!("There are {on_hand} now."), "changeFromQuantity")
            }
            AdjustRefusal::KeyReused => {
                let message = "This key was used for another request.".to_owned();
                (IdempotencyKeyReused, message, "idempotencyKey")
            }
        };
        Self { message, field: Some(vec!["input".to_owned(), field.to_owned()]), code }
    }
}
