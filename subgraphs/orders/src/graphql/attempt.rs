//! Checkout attempts.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject, Union};
use common::Fault;
use subgraph::graphql::DateTime;

use super::loader::Loaders;
use super::order::Order;
use super::part;
use super::refusal::{OrderErrorCode, OrderUserError, is_retryable};
use super::status::CheckoutState;
use crate::domain;
use crate::entity::checkout_attempt;
use crate::service::Orders;

/// When to ask again, in milliseconds.
const POLL_AFTER_MS: i32 = 1_000;

/// One run of the checkout of a cart: it goes on by itself until it is confirmed or has failed.
pub struct CheckoutAttempt(pub Arc<checkout_attempt::Model>);

/// How a checkout stands.
#[derive(Union)]
pub enum CheckoutOutcome {
    /// It went through.
    Succeeded(CheckoutSucceeded),
    /// It goes on.
    Processing(CheckoutProcessing),
    /// It waits for the buyer.
    ActionRequired(CheckoutActionRequired),
    /// It failed.
    Failed(CheckoutFailed),
}

/// The checkout went through.
#[derive(SimpleObject)]
pub struct CheckoutSucceeded {
    /// The order that it made.
    pub order: Order,
    /// With this a guest reads the order later: `order(number, guestToken)`. Null for a buyer with an account.
    pub guest_token: Option<String>,
}

/// The checkout goes on.
#[derive(SimpleObject)]
pub struct CheckoutProcessing {
    /// When to ask again, in milliseconds, unless `checkoutProgress` is subscribed to.
    pub poll_after_ms: i32,
}

/// The checkout waits for the buyer: see `clientAction` of the attempt.
#[derive(SimpleObject)]
pub struct CheckoutActionRequired {
    /// What is asked of the buyer.
    pub reason: String,
}

/// The checkout failed. Nothing is kept: not the money, not the stock, and the cart can be changed again.
#[derive(SimpleObject)]
pub struct CheckoutFailed {
    /// Why, for programs.
    pub code: OrderErrorCode,
    /// Why, for people.
    pub message: String,
    /// Whether the same may go through when it is tried again under a new key.
    pub retryable: bool,
}

/// One run of the checkout of a cart: it goes on by itself until it is confirmed or has failed.
#[Object]
impl CheckoutAttempt {
    /// The attempt's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Where it is.
    async fn state(&self) -> CheckoutState {
        self.0.state.into()
    }

    /// The order that it makes; null before it is written.
    async fn order(&self, context: &Context<'_>) -> Result<Option<Order>> {
        if !self.0.state.has_order() {
            return Ok(None);
        }
        Ok(Loaders::of(context)?.orders.load(self.0.order_id).await?.map(Order))
    }

    /// How it stands.
    async fn outcome(&self, context: &Context<'_>) -> Result<Option<CheckoutOutcome>> {
        if let Some(refusal) = self.0.refusal()? {
            let retryable = is_retryable(&refusal);
            let error = OrderUserError::from(refusal);
            let failed = CheckoutFailed { code: error.code, message: error.message, retryable };
            return Ok(Some(CheckoutOutcome::Failed(failed)));
        }
        Ok(Some(match self.0.state {
            domain::CheckoutState::Confirmed => {
                let order = Loaders::of(context)?.orders.load(self.0.order_id).await?;
                let order = order.ok_or_else(|| Fault::internal("a confirmed checkout without its order"))?;
                let guest_token = part::<Orders>(context)?.guest_token(&self.0, &order);
                CheckoutOutcome::Succeeded(CheckoutSucceeded { order: Order(order), guest_token })
            }
            domain::CheckoutState::ActionRequired => {
                let reason = self.0.action_reason.clone().unwrap_or_default();
                CheckoutOutcome::ActionRequired(CheckoutActionRequired { reason })
            }
            _ => CheckoutOutcome::Processing(CheckoutProcessing { poll_after_ms: POLL_AFTER_MS }),
        }))
    }

    /// When it fails unless it has gone through by then.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }
}
