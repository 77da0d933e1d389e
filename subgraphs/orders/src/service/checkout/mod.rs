//! The checkout, from a buyer's request to a confirmed order or to a failure that holds nothing.
//!
//! An attempt is a row that knows which step comes next (`domain::CheckoutState`). `drive` takes the steps, `steps` and
//! `compensate` are what they do; whoever has the lease of the row drives: the mutation, a poll, or the worker. Every
//! step first asks another subgraph, outside of any transaction, for something that may be asked again, and then stores
//! what came of it. So an attempt can be taken up at any time from what is stored.

mod compensate;
mod drive;
mod guest;
mod steps;
#[cfg(test)]
mod tests;

use std::time::Duration;

use auth::Viewer;
use common::id::{CartId, CheckoutAttemptId};
use common::money::MAX_MINOR;
use common::{Fault, Money};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Orders, WholeOrder};
use crate::domain::{CheckoutState, RequestRefusal};
use crate::entity::checkout_attempt;
use drive::LEASE;
pub(super) use guest::opens;

/// How long a checkout may take, client actions included.
const LIFETIME: Duration = Duration::from_mins(15);
/// Longest texts, in bytes.
const LONGEST_TOKEN: usize = 200;
const LONGEST_URL: usize = 2_048;

/// What a buyer asks for.
#[derive(Debug, Clone, Serialize)]
pub struct CheckoutRequest {
    /// Which cart.
    pub cart: CartId,
    /// The version that the buyer saw.
    pub cart_version: i32,
    /// The total that the buyer saw.
    pub expected_total: Money,
    /// How to pay.
    pub payment_token: String,
    /// Gift cards to pay with.
    pub gift_cards: Vec<String>,
    /// Where a client action returns to.
    pub return_url: Option<String>,
}

/// An attempt as it is now, with its order where that is in memory.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The attempt.
    pub attempt: checkout_attempt::Model,
    /// The order.
    pub order: Option<WholeOrder>,
    /// Whether a buyer waits for it, who is better told of a failure than kept waiting.
    attended: bool,
}

impl CheckoutRequest {
    fn check(&self) -> Result<(), RequestRefusal> {
        let invalid = |field, message| Err(RequestRefusal::Invalid { field, message });
        if self.cart_version < 0 {
            return invalid("cartVersion", "A version is not negative.");
        }
        if !(0..=MAX_MINOR).contains(&self.expected_total.minor) {
            return invalid("expectedTotal", "A total is not negative.");
        }
        if self.payment_token.trim().is_empty() || self.payment_token.len() > LONGEST_TOKEN {
            return invalid("paymentMethodToken", "A token has 1 to 200 characters.");
        }
        if self.return_url.as_ref().is_some_and(|url| url.len() > LONGEST_URL) {
            return invalid("returnUrl", "An address has at most 2,048 characters.");
        }
        if !self.gift_cards.is_empty() {
            return invalid("giftCardCodes", "Gift cards cannot be used at the checkout yet.");
        }
        Ok(())
    }
}

impl Orders {
    /// Checks a cart out. The same request under the same key is one attempt, whether it comes again later or at the
    /// same time. Answers when the attempt is decided, needs the buyer, or takes longer than a buyer waits.
    pub async fn complete_checkout(
        &self,
        viewer: &Viewer,
        key: &str,
        request: &CheckoutRequest,
    ) -> Result<Result<Progress, RequestRefusal>, Fault> {
        if let Err(refusal) = request.check() {
            return Ok(Err(refusal));
        }
        let attempt = self.new_attempt(viewer, key, request)?;
        if checkout_attempt::insert(self.ports.database.schema(), attempt.clone()).await? {
            return self.drive_patiently(attempt.into()).await.map(Ok);
        }
        let known = checkout_attempt::by_scope(self.ports.database.schema(), &attempt.scope).await?;
        let known = known.ok_or_else(|| Fault::internal("an attempt that is there cannot be found"))?;
        if known.request_hash != attempt.request_hash {
            return Ok(Err(RequestRefusal::KeyReused));
        }
        self.follow(known).await.map(Ok)
    }

    /// How an attempt is getting on. If nobody drives it, this does.
    pub async fn poll_checkout(&self, attempt: checkout_attempt::Model) -> Result<Progress, Fault> {
        if attempt.state.is_decided() || attempt.is_driven(self.ports.clock.now()) {
            return Ok(attempt.into());
        }
        self.follow(attempt).await
    }

    fn new_attempt(
        &self,
        viewer: &Viewer,
        key: &str,
        request: &CheckoutRequest,
    ) -> Result<checkout_attempt::Model, Fault> {
        let now = self.ports.clock.now();
        let request_text = serde_json::to_vec(request).map_err(Fault::internal)?;
        let actor = viewer.actor_name();
        Ok(checkout_attempt::Model {
            id: self.ports.ids.next(),
            scope: digest(format!("{}:{actor}{key}", actor.len()).as_bytes()),
            request_hash: digest(&request_text),
            cart_id: request.cart,
            buyer_id: viewer.user_id(),
            order_id: self.ports.ids.next(),
            state: CheckoutState::Started,
            version: 1,
            driven: true,
            due_at: Some(now.plus(LEASE)),
            tries: 0,
            cart_version: request.cart_version,
            currency: request.expected_total.currency,
            expected_total: request.expected_total.minor,
            payment_token: Some(request.payment_token.trim().to_owned()),
            return_url: request.return_url.clone(),
            action_reason: None,
            refusal: None,
            created_at: now,
            expires_at: now.plus(LIFETIME),
        })
    }

    /// The attempt as it is stored.
    async fn stored(&self, id: CheckoutAttemptId) -> Result<Progress, Fault> {
        let attempt = checkout_attempt::by_id(self.ports.database.schema(), id).await?;
        Ok(attempt.ok_or_else(|| Fault::internal("an attempt has gone"))?.into())
    }
}

impl From<checkout_attempt::Model> for Progress {
    fn from(attempt: checkout_attempt::Model) -> Self {
        Self { attempt, order: None, attended: true }
    }
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
