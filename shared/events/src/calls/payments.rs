//! What `orders` asks of `payments` during a checkout.

use common::Money;
use common::id::{CheckoutAttemptId, OrderId, PaymentId, UserId};
use serde::{Deserialize, Serialize};

use super::Call;

/// Authorises a payment for an attempt. Asked again for the same attempt, it charges nothing and answers as things are
/// now, so it also serves to ask how an action went on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuthorizePayment {
    /// For which attempt: the provider's own idempotency key is made from it.
    pub attempt: CheckoutAttemptId,
    /// For which order.
    pub order: OrderId,
    /// Whose; nobody's for a guest.
    pub customer: Option<UserId>,
    /// How much.
    pub amount: Money,
    /// The provider's token for a card, or the id of a stored payment method.
    pub token: String,
    /// Where a client action returns to.
    pub return_url: Option<String>,
}

/// What comes of authorising.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AuthorizePaymentReply {
    /// The money is held.
    Authorized {
        /// By which payment.
        payment: PaymentId,
    },
    /// The buyer must do something first.
    ActionRequired {
        /// By which payment.
        payment: PaymentId,
        /// What is asked, for the buyer to read.
        reason: String,
    },
    /// The provider has not answered; ask again.
    Pending {
        /// By which payment.
        payment: PaymentId,
    },
    /// The provider says no.
    Declined {
        /// By which payment.
        payment: PaymentId,
        /// Why, for the buyer to read.
        message: String,
        /// Whether another card or another try may help.
        retryable: bool,
    },
    /// The token is none.
    MethodInvalid,
}

impl Call for AuthorizePayment {
    const SUBGRAPH: &'static str = "payments";
    const DOCUMENT: &'static str =
        "mutation PaymentAuthorize($request: ServiceCall!) { reply: paymentAuthorize(request: $request) }";
    type Reply = AuthorizePaymentReply;
}

/// Takes the authorised money of an order. Does nothing if it is taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CapturePayment {
    /// Of which order.
    pub order: OrderId,
}

impl Call for CapturePayment {
    const SUBGRAPH: &'static str = "payments";
    const DOCUMENT: &'static str =
        "mutation PaymentTake($request: ServiceCall!) { reply: paymentTake(request: $request) }";
    type Reply = PaymentStanding;
}

/// Gives up an order's payment: voids what is held and refunds what is taken. Does nothing if that is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CancelPayment {
    /// Of which order.
    pub order: OrderId,
}

impl Call for CancelPayment {
    const SUBGRAPH: &'static str = "payments";
    const DOCUMENT: &'static str =
        "mutation PaymentCancel($request: ServiceCall!) { reply: paymentCancel(request: $request) }";
    type Reply = PaymentStanding;
}

/// How an order's payment stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentStanding {
    /// Which payment; none if there never was one.
    pub payment: Option<PaymentId>,
    /// Held but not taken.
    pub authorized: Money,
    /// Taken.
    pub captured: Money,
    /// Given back.
    pub refunded: Money,
}
