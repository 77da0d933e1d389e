//! Payments of their own for each test.

use auth::Viewer;
use common::id::{CheckoutAttemptId, Id, OrderId, PaymentId, SessionId, UserId};
use common::{Currency, Money};
use events::calls::Call;
use events::calls::payments::{
    AuthorizePayment, AuthorizePaymentReply, CancelPayment, CapturePayment, PaymentStanding,
};
use events::payments::PaymentsEvent;
use serde_json::{Value as Json, json};
use subgraph::testing::{self, Folder};
use subgraph::{Ports, Subgraph};

/// What every test order comes to, in cents.
pub const TOTAL: i64 = 10_000;

/// Payments and what a test does with them. Clones are the same payments.
#[derive(Clone)]
pub struct Bench {
    pub ports: Ports,
    pub subgraph: Subgraph,
    _folder: Folder,
}

/// An order that somebody checks out.
#[derive(Clone, Copy)]
pub struct Checkout {
    pub order: OrderId,
    pub attempt: CheckoutAttemptId,
    pub customer: Option<UserId>,
}

impl Bench {
    /// No payments yet, with the test provider.
    pub async fn new() -> Self {
        let (ports, folder) = testing::ports(payments::NAME, payments::migrations).await;
        let subgraph = testing::work(payments::build(&ports), &ports);
        Self { ports, subgraph, _folder: folder }
    }

    /// No payments yet, with another provider.
    pub async fn with(provider: impl payments::provider::PaymentProvider + 'static) -> Self {
        let (ports, folder) = testing::ports(payments::NAME, payments::migrations).await;
        let subgraph =
            testing::work(payments::build_with(&ports, std::sync::Arc::new(provider), None), &ports);
        Self { ports, subgraph, _folder: folder }
    }

    /// A new order of the shopper.
    pub fn checkout(&self) -> Checkout {
        let customer = shopper().user_id();
        Checkout { order: self.ports.ids.next(), attempt: self.ports.ids.next(), customer }
    }

    /// Makes a call as `orders` does.
    pub async fn call<C: Call>(&self, request: &C) -> Result<C::Reply, Json> {
        let variables = json!({ "request": request });
        let mut answer =
            testing::run(&self.subgraph, &Viewer::service("orders"), C::DOCUMENT, variables).await;
        if answer["errors"] != Json::Null {
            return Err(answer);
        }
        Ok(serde_json::from_value(answer["data"]["reply"].take()).expect("the reply is as agreed"))
    }

    /// Authorises an order's total.
    pub async fn authorize(&self, checkout: Checkout, token: &str) -> AuthorizePaymentReply {
        let Checkout { order, attempt, customer } = checkout;
        let (amount, token) = (Money::new(TOTAL, Currency::USD), token.to_owned());
        let request = AuthorizePayment { attempt, order, customer, amount, token, return_url: None };
        self.call(&request).await.expect("authorising answers")
    }

    /// Authorises an order's total, which must go through.
    pub async fn authorized(&self, checkout: Checkout) -> PaymentId {
        match self.authorize(checkout, "tok_approve").await {
            AuthorizePaymentReply::Authorized { payment } => payment,
            other => panic!("not authorised: {other:?}"),
        }
    }

    /// Authorises and takes an order's total.
    pub async fn captured(&self, checkout: Checkout) -> PaymentId {
        let payment = self.authorized(checkout).await;
        self.take(checkout.order).await.expect("taking answers");
        payment
    }

    /// Takes an order's money.
    pub async fn take(&self, order: OrderId) -> Result<PaymentStanding, Json> {
        self.call(&CapturePayment { order }).await
    }

    /// Cancels an order's payments.
    pub async fn cancel(&self, order: OrderId) -> Result<PaymentStanding, Json> {
        self.call(&CancelPayment { order }).await
    }

    /// A payment as finance sees it.
    pub async fn payment(&self, id: PaymentId) -> Json {
        let document = "query($id: ID!) { payment(id: $id) { state version authorized { amountMinor } \
                        captured { amountMinor } refunded { amountMinor } refundable { amountMinor } \
                        transactions { kind state } refunds { state amount { amountMinor } } } }";
        let mut answer = testing::run(&self.subgraph, &finance(), document, json!({ "id": id })).await;
        answer["data"]["payment"].take()
    }

    /// What the test provider was asked for an order: kind, outcome, amount and how often.
    pub async fn charges(&self, order: OrderId) -> Vec<(String, String, i64, i64)> {
        let document = "query($id: ID!) { testProviderCharges(orderId: $id) { kind outcome calls amount { amountMinor } } }";
        let answer = testing::run(&self.subgraph, &finance(), document, json!({ "id": order })).await;
        let text = |charge: &Json, field: &str| charge[field].as_str().expect("a text").to_owned();
        let charges = answer["data"]["testProviderCharges"].as_array().expect("finance sees the book");
        charges
            .iter()
            .map(|charge| {
                let amount = charge["amount"]["amountMinor"].as_i64().expect("a number");
                let calls = charge["calls"].as_i64().expect("a number");
                (text(charge, "kind"), text(charge, "outcome"), amount, calls)
            })
            .collect()
    }

    /// Takes a part as finance.
    pub async fn capture(&self, key: &str, payment: PaymentId, amount: Option<(i64, &str)>) -> Json {
        let document = "mutation($i: PaymentCaptureInput!) { paymentCapture(input: $i) { \
                        payment { state captured { amountMinor } } userErrors { code field } } }";
        let amount = amount.map(|(minor, currency)| json!({ "amountMinor": minor, "currency": currency }));
        let input = json!({ "idempotencyKey": key, "paymentId": payment, "amount": amount });
        let mut answer = testing::run(&self.subgraph, &finance(), document, json!({ "i": input })).await;
        answer["data"]["paymentCapture"].take()
    }

    /// Refunds as finance.
    pub async fn refund(&self, key: &str, payment: PaymentId, minor: i64) -> Json {
        let document = "mutation($i: RefundCreateInput!) { refundCreate(input: $i) { \
                        refund { state amount { amountMinor } } userErrors { code field refundable { amountMinor } } } }";
        let amount = json!({ "amountMinor": minor, "currency": "USD" });
        let input =
            json!({ "idempotencyKey": key, "paymentId": payment, "amount": amount, "reason": "broken" });
        let mut answer = testing::run(&self.subgraph, &finance(), document, json!({ "i": input })).await;
        answer["data"]["refundCreate"].take()
    }

    /// The state of each event in the outbox.
    pub async fn told(&self) -> Vec<String> {
        let events = messaging::pending(&self.ports.database).await.expect("the outbox can be read");
        let state = |event: &messaging::Envelope| event.open::<PaymentsEvent>().expect("an event").state;
        events.iter().map(state).collect()
    }
}

/// The customer of the test orders.
pub fn shopper() -> Viewer {
    viewer(3)
}

/// Somebody else.
pub fn stranger() -> Viewer {
    viewer(5)
}

/// A member of staff who moves money.
pub fn finance() -> Viewer {
    viewer(1).with_scopes(&["payments:read", "payments:write"])
}

fn viewer(number: u8) -> Viewer {
    let (user, session): (UserId, SessionId) = (Id::stable(0, [number; 10]), Id::stable(0, [number + 1; 10]));
    Viewer::user(user, session)
}
