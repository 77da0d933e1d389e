//! Who really moves the money. Implement [`PaymentProvider`] to bind another one.

mod test;

use std::sync::Arc;

use common::id::{CheckoutAttemptId, OrderId};
use common::{Currency, Fault, Money};
use futures::future::BoxFuture;

pub use test::{ChargeOutcome, TestProvider};

/// Somebody who holds, takes and gives back money on our word.
///
/// Every request carries a key. A provider that is asked again under the same key moves nothing again and answers as
/// things are now; that is what heals a crash between asking and writing down the answer.
pub trait PaymentProvider: Send + Sync {
    /// Its name, unique among providers; at most 40 characters.
    fn name(&self) -> &'static str;

    /// Whether it takes this currency.
    fn supports(&self, currency: Currency) -> bool;

    /// Holds money.
    fn authorize(&self, request: AuthorizeRequest) -> BoxFuture<'_, Result<Answer, Unanswered>>;

    /// Takes what is held, or a part of it.
    fn capture(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>>;

    /// Lets go of what is held, or of an authorisation that waits for the buyer.
    fn void(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>>;

    /// Gives back what was taken, or a part of it.
    fn refund(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>>;
}

/// A request to hold money.
#[derive(Debug, Clone)]
pub struct AuthorizeRequest {
    /// Asked again under the same key, it is the same request.
    pub key: String,
    /// For which attempt to check out.
    pub attempt: CheckoutAttemptId,
    /// For which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// What stands for the card.
    pub token: String,
    /// Where a client action returns to.
    pub return_url: Option<String>,
}

/// A request to move money that is held or was taken.
#[derive(Debug, Clone)]
pub struct MoveRequest {
    /// Asked again under the same key, it is the same request.
    pub key: String,
    /// For which order.
    pub order: OrderId,
    /// The provider's own name for the payment.
    pub reference: String,
    /// How much.
    pub amount: Money,
}

/// What a provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done {
        /// The provider's own name for the payment.
        reference: String,
        /// The last four digits of the card.
        last4: Option<String>,
    },
    /// The buyer must do something first.
    ActionRequired {
        /// The provider's own name for the payment.
        reference: String,
        /// What the buyer's client proves itself with.
        client_secret: String,
        /// Where the buyer is to go.
        redirect_url: String,
        /// What is asked of them, for them to read.
        reason: String,
    },
    /// It is not done and will not be.
    Declined {
        /// Why, for the buyer to read.
        message: String,
        /// Whether another card or another try may help.
        retryable: bool,
    },
    /// The token stands for nothing.
    InvalidMethod,
}

/// Why nothing is known: ask again under the same key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unanswered {
    /// No answer came in time.
    #[error("the provider did not answer in time")]
    Timeout,
    /// The provider is broken.
    #[error("the provider failed: {0}")]
    Failed(String),
}

/// Something that a provider tells us by itself.
#[derive(Debug, Clone)]
pub struct ProviderEvent {
    /// Its id, unique at the provider: told twice, it is heard once.
    pub id: String,
    /// The key of the request that it is about.
    pub key: String,
    /// How things are now.
    pub answer: Answer,
}

/// Where a provider tells us something by itself.
pub type Webhook = Arc<dyn Fn(ProviderEvent) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;
