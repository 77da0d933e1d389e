//! How refusals look in the schema.

use async_graphql::{Enum, Interface, SimpleObject};
use common::Currency;
use subgraph::graphql::Money;

use crate::domain::Refusal;

/// Why a movement of money is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum PaymentErrorCode {
    /// An input is not as it must be.
    Invalid,
    /// There is no such payment.
    NotFound,
    /// More is to be given back than was taken, what is being given back included.
    AmountExceedsCaptured,
    /// More is to be taken than is held.
    AmountExceedsAuthorized,
    /// The provider says no.
    Declined,
    /// The payment is in a state in which this is not done.
    IllegalTransition,
    /// The payment is in another currency.
    CurrencyMismatch,
    /// The key was used for another request.
    IdempotencyKeyReused,
    /// A request with this key is under way.
    IdempotencyInProgress,
    /// The provider has not answered; it is asked again.
    ProviderUnavailable,
}

/// Why a movement of money is refused.
#[derive(SimpleObject)]
pub struct PaymentUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: PaymentErrorCode,
    /// What may be given back, where more was asked for.
    pub refundable: Option<Money>,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    Payment(PaymentUserError),
}

impl PaymentUserError {
    /// An error of the whole request.
    pub fn new(code: PaymentErrorCode, message: &str) -> Self {
        Self { message: message.to_owned(), field: None, code, refundable: None }
    }

    /// A refusal of a request that named `currency`, if any.
    pub fn refused(refusal: Refusal, currency: Option<Currency>) -> Self {
        use PaymentErrorCode::{
            AmountExceedsAuthorized, AmountExceedsCaptured, CurrencyMismatch, IdempotencyKeyReused,
            IllegalTransition, Invalid, NotFound,
        };
        let (code, message, field) = match refusal {
            Refusal::BadAmount => (Invalid, "An amount is more than nothing.", "amount"),
            Refusal::BadReason => (Invalid, "A reason has at most 200 characters.", "reason"),
            Refusal::NotFound => (NotFound, "There is no such payment.", "paymentId"),
            Refusal::CurrencyMismatch => (CurrencyMismatch, "The payment is in another currency.", "amount"),
            Refusal::ExceedsAuthorized => (AmountExceedsAuthorized, "That is more than is held.", "amount"),
            Refusal::ExceedsCaptured { .. } => {
                (AmountExceedsCaptured, "That is more than can be given back.", "amount")
            }
            Refusal::IllegalTransition => {
                (IllegalTransition, "The payment is in a state in which this is not done.", "paymentId")
            }
            Refusal::KeyReused => {
                (IdempotencyKeyReused, "This key was used for another request.", "idempotencyKey")
            }
        };
        let refundable = match (refusal, currency) {
            (Refusal::ExceedsCaptured { refundable }, Some(currency)) => {
                Some(common::Money::new(refundable, currency).into())
            }
            _ => None,
        };
        let field = Some(vec!["input".to_owned(), field.to_owned()]);
        Self { message: message.to_owned(), field, code, refundable }
    }
}
