//! How refusals look in the schema.

use async_graphql::{Enum, ID, Interface, SimpleObject};
use subgraph::graphql::Money;

use crate::domain::{CheckoutRefusal, OrderRefusal, RequestRefusal};

/// Why something about an order is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderErrorCode {
    /// An input is not as it must be, or the cart lacks something.
    Invalid,
    /// There is no such thing, or it is not the viewer's.
    NotFound,
    /// The order cannot do that in its state.
    IllegalTransition,
    /// It was changed since the version that was seen.
    VersionConflict,
    /// The cart was changed since the version that was seen, or it was ordered or merged.
    CartChanged,
    /// The cart comes to another total than the one that was seen.
    TotalMismatch,
    /// There is not enough of something.
    InsufficientStock,
    /// The payment did not go through.
    PaymentDeclined,
    /// The payment token is not known.
    PaymentMethodInvalid,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// Another request is checking out the same cart at this moment.
    IdempotencyInProgress,
    /// More is asked for than was ordered or sent.
    QuantityExceedsOrdered,
    /// A part of the shop that is needed does not answer. Nothing was charged.
    Unavailable,
}

/// Why something about an order is refused.
#[derive(SimpleObject)]
pub struct OrderUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: OrderErrorCode,
    /// The version now, where another one was expected.
    pub current_version: Option<i32>,
    /// The total now, where another one was expected.
    pub current_total: Option<Money>,
    /// The line that is to blame: of the cart at a checkout, else of the order.
    pub line_id: Option<ID>,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    Order(OrderUserError),
}

impl OrderUserError {
    fn new(code: OrderErrorCode, message: impl Into<String>, field: &str) -> Self {
        Self {
            message: message.into(),
            field: (!field.is_empty()).then(|| vec!["input".to_owned(), field.to_owned()]),
            code,
            current_version: None,
            current_total: None,
            line_id: None,
        }
    }

    fn at_version(mut self, version: i32) -> Self {
        self.current_version = Some(version);
        self
    }

    fn at_line(mut self, line: ID) -> Self {
        self.line_id = Some(line);
        self
    }
}

impl From<RequestRefusal> for OrderUserError {
    fn from(refusal: RequestRefusal) -> Self {
        match refusal {
            RequestRefusal::Invalid { field, message } => Self::new(OrderErrorCode::Invalid, message, field),
            RequestRefusal::KeyReused => key_reused(),
        }
    }
}

impl From<OrderRefusal> for OrderUserError {
    fn from(refusal: OrderRefusal) -> Self {
        use OrderErrorCode::{IllegalTransition, Invalid, NotFound, QuantityExceedsOrdered, VersionConflict};
        match refusal {
            OrderRefusal::NotFound => Self::new(NotFound, "There is no such order.", "orderId"),
            OrderRefusal::IllegalTransition { status } => {
                let message = format!("An order that is {} cannot do that.", status_word(status));
                Self::new(IllegalTransition, message, "orderId")
            }
            OrderRefusal::NothingSent => {
                let message = "Nothing of this order was sent that could come back.";
                Self::new(IllegalTransition, message, "orderId")
            }
            OrderRefusal::VersionConflict { current } => {
                let message = format!("The order was changed: it is at version {current} now.");
                Self::new(VersionConflict, message, "expectedVersion").at_version(current)
            }
            OrderRefusal::KeyReused => key_reused(),
            OrderRefusal::NoLines => Self::new(Invalid, "Name at least one line.", "lines"),
            OrderRefusal::UnknownLine { line } => {
                Self::new(NotFound, "The order has no such line.", "lines").at_line(line.into())
            }
            OrderRefusal::BadQuantity { line } => {
                Self::new(Invalid, "A quantity is at least 1.", "lines").at_line(line.into())
            }
            OrderRefusal::QuantityExceeded { line, most } => {
                let message = format!("There are {most} left of this line.");
                Self::new(QuantityExceedsOrdered, message, "lines").at_line(line.into())
            }
            OrderRefusal::TooLong { field, most } => {
                Self::new(Invalid, format!("At most {most} characters."), field)
            }
        }
    }
}

impl From<CheckoutRefusal> for OrderUserError {
    fn from(refusal: CheckoutRefusal) -> Self {
        use OrderErrorCode as Code;
        match refusal {
            CheckoutRefusal::CartNotFound => Self::new(Code::NotFound, "There is no such cart.", "cartId"),
            CheckoutRefusal::CartIncomplete { message } => Self::new(Code::Invalid, message, "cartId"),
            CheckoutRefusal::CartBusy => {
                let message = "Another request is checking out this cart at this moment.";
                Self::new(Code::IdempotencyInProgress, message, "cartId")
            }
            CheckoutRefusal::CartGone => {
                Self::new(Code::CartChanged, "This cart was ordered or merged before.", "cartId")
            }
            CheckoutRefusal::CartChanged { current_version } => {
                let message = format!("The cart was changed: it is at version {current_version} now.");
                Self::new(Code::CartChanged, message, "cartVersion").at_version(current_version)
            }
            CheckoutRefusal::TotalMismatch { current_total, current_version } => Self {
                current_total: Some(current_total.into()),
                ..Self::new(
                    Code::TotalMismatch,
                    format!("The cart comes to {current_total} {} now.", current_total.currency),
                    "expectedTotal",
                )
                .at_version(current_version)
            },
            CheckoutRefusal::InsufficientStock { line, title, available, .. } => {
                let what = title.as_deref().unwrap_or("something in this cart");
                let message = format!("There are {} left of {what}.", available.max(0));
                let error = Self::new(Code::InsufficientStock, message, "cartId");
                match line {
                    Some(line) => error.at_line(line.into()),
                    None => error,
                }
            }
            CheckoutRefusal::StockLost => {
                let message = "What was set aside for you ran out of time. Try again.";
                Self::new(Code::InsufficientStock, message, "cartId")
            }
            CheckoutRefusal::PaymentDeclined { message, .. } => {
                Self::new(Code::PaymentDeclined, message, "paymentMethodToken")
            }
            CheckoutRefusal::PaymentMethodInvalid => {
                Self::new(Code::PaymentMethodInvalid, "This way to pay is not known.", "paymentMethodToken")
            }
            CheckoutRefusal::Expired => Self::new(
                Code::PaymentDeclined,
                "The payment was not finished in time.",
                "paymentMethodToken",
            ),
            CheckoutRefusal::Unavailable => {
                let message = "A part of the shop does not answer. Nothing was charged; try again soon.";
                Self::new(Code::Unavailable, message, "")
            }
        }
    }
}

/// Whether the same checkout may go through when it is tried again under a new key.
pub const fn is_retryable(refusal: &CheckoutRefusal) -> bool {
    match refusal {
        CheckoutRefusal::PaymentDeclined { retryable, .. } => *retryable,
        CheckoutRefusal::CartBusy
        | CheckoutRefusal::StockLost
        | CheckoutRefusal::Expired
        | CheckoutRefusal::Unavailable => true,
        CheckoutRefusal::CartNotFound
        | CheckoutRefusal::CartIncomplete { .. }
        | CheckoutRefusal::CartGone
        | CheckoutRefusal::CartChanged { .. }
        | CheckoutRefusal::TotalMismatch { .. }
        | CheckoutRefusal::InsufficientStock { .. }
        | CheckoutRefusal::PaymentMethodInvalid => false,
    }
}

fn key_reused() -> OrderUserError {
    let message = "This idempotency key was used for another request.";
    OrderUserError::new(OrderErrorCode::IdempotencyKeyReused, message, "idempotencyKey")
}

const fn status_word(status: crate::domain::OrderStatus) -> &'static str {
    use crate::domain::OrderStatus;
    match status {
        OrderStatus::Pending => "pending",
        OrderStatus::Confirmed => "confirmed",
        OrderStatus::Processing => "being sent",
        OrderStatus::Completed => "completed",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::Expired => "expired",
    }
}
