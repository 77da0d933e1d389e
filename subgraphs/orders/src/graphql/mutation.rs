//! Changes to orders, and the checkout that makes them.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::Fault;
use common::id::OrderLineId;
use subgraph::graphql::{Authenticated, IdempotencyKey, MoneyInput, Scope, authenticated, parse_id, viewer};

use super::attempt::CheckoutAttempt;
use super::fulfillment::Return;
use super::loader::Loaders;
use super::order::Order;
use super::part;
use super::query::show;
use super::refusal::OrderUserError;
use crate::domain::OrderRefusal;
use crate::service::{Cancellation, CheckoutRequest, Orders, ReturnRequest, Shipment, WholeOrder};

/// Where changing begins.
pub struct Mutation;

/// A cart to check out.
#[derive(InputObject)]
pub struct CheckoutCompleteInput {
    /// Makes the request safe to send again: the same key with the same input is the same checkout. Use a new one for a
    /// new try after a failure.
    pub idempotency_key: IdempotencyKey,
    /// The cart.
    pub cart_id: ID,
    /// The cart's version that the buyer saw.
    pub cart_version: i32,
    /// The cart's total that the buyer saw and agrees to pay.
    pub expected_total: MoneyInput,
    /// How to pay: the provider's token for a card, or the id of a stored payment method.
    pub payment_method_token: String,
    /// Gift cards to pay with. Not accepted yet.
    pub gift_card_codes: Option<Vec<String>>,
    /// Where the buyer comes back to after an action elsewhere, such as a confirmation at the bank.
    pub return_url: Option<String>,
}

/// What comes of checking out.
#[derive(SimpleObject)]
pub struct CheckoutCompletePayload {
    /// The attempt; null where the request is refused before it becomes one.
    pub attempt: Option<CheckoutAttempt>,
    /// Why it is refused or has failed.
    pub user_errors: Vec<OrderUserError>,
}

/// An order to cancel.
#[derive(InputObject)]
pub struct OrderCancelInput {
    /// Makes the request safe to send again.
    pub idempotency_key: IdempotencyKey,
    /// The order.
    pub order_id: ID,
    /// The version that was seen; another one now is a conflict.
    pub expected_version: i32,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// So many of a line.
#[derive(InputObject)]
pub struct ReturnLineInput {
    /// The line of the order.
    pub order_line_id: ID,
    /// How many of it.
    pub quantity: i32,
}

/// Goods to send back.
#[derive(InputObject)]
pub struct ReturnRequestInput {
    /// Makes the request safe to send again.
    pub idempotency_key: IdempotencyKey,
    /// The order.
    pub order_id: ID,
    /// What to send back.
    pub lines: Vec<ReturnLineInput>,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// Goods that were sent.
#[derive(InputObject)]
pub struct OrderFulfillInput {
    /// Makes the request safe to send again.
    pub idempotency_key: IdempotencyKey,
    /// The order.
    pub order_id: ID,
    /// The version that was seen; another one now is a conflict.
    pub expected_version: i32,
    /// What was sent.
    pub lines: Vec<ReturnLineInput>,
    /// The carrier's number of the parcel; at most 100 characters.
    pub tracking_number: Option<String>,
}

/// What comes of a change to an order.
#[derive(SimpleObject)]
pub struct OrderPayload {
    /// The order after it; null where the change is refused.
    pub order: Option<Order>,
    /// Why it is refused.
    pub user_errors: Vec<OrderUserError>,
}

/// What comes of asking for a return.
#[derive(SimpleObject)]
pub struct ReturnRequestPayload {
    /// The return; null where it is refused.
    #[graphql(name = "return")]
    pub requested: Option<Return>,
    /// Why it is refused.
    pub user_errors: Vec<OrderUserError>,
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Checks a cart out: freezes it, writes the order, sets stock aside, authorises the payment, confirms. Answers
    /// when that is decided, when the buyer must act, or after about two seconds while it goes on.
    async fn checkout_complete(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart, and what the buyer agreed to.")] input: CheckoutCompleteInput,
    ) -> Result<CheckoutCompletePayload> {
        let request = CheckoutRequest {
            cart: parse_id(&input.cart_id)?,
            cart_version: input.cart_version,
            expected_total: input.expected_total.into(),
            payment_token: input.payment_method_token,
            gift_cards: input.gift_card_codes.unwrap_or_default(),
            return_url: input.return_url,
        };
        let (viewer, orders) = (viewer(context), part::<Orders>(context)?);
        let completed = orders.complete_checkout(viewer, &input.idempotency_key.0, &request).await?;
        Ok(match completed {
            Ok(progress) => {
                let user_errors = progress.attempt.refusal()?.map(OrderUserError::from).into_iter().collect();
                let attempt = show(Loaders::of(context)?, progress).await;
                CheckoutCompletePayload { attempt: Some(attempt), user_errors }
            }
            Err(refusal) => CheckoutCompletePayload { attempt: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Cancels a confirmed order of which nothing was sent: one's own, or any with the scope `orders:write`. Its stock
    /// and its money are given back.
    async fn order_cancel(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order.")] input: OrderCancelInput,
    ) -> Result<OrderPayload> {
        let request = Cancellation {
            order: parse_id(&input.order_id)?,
            expected_version: input.expected_version,
            reason: input.reason,
        };
        let (viewer, orders) = (viewer(context), part::<Orders>(context)?);
        let cancelled = orders.cancel(viewer, &input.idempotency_key.0, &request).await?;
        payload(context, cancelled).await
    }

    /// Records that some of an order was sent. When all of it is, the order is completed.
    #[graphql(guard = "Scope(\"orders:write\")", requires_scopes = "orders:write")]
    async fn order_fulfill(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was sent.")] input: OrderFulfillInput,
    ) -> Result<OrderPayload> {
        let request = Shipment {
            order: parse_id(&input.order_id)?,
            expected_version: input.expected_version,
            lines: quantities(&input.lines)?,
            tracking_number: input.tracking_number,
        };
        let (viewer, orders) = (viewer(context), part::<Orders>(context)?);
        let fulfilled = orders.fulfill(viewer, &input.idempotency_key.0, &request).await?;
        payload(context, fulfilled).await
    }

    /// Asks to send back some of what was sent of one's own order.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn return_request(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to send back.")] input: ReturnRequestInput,
    ) -> Result<ReturnRequestPayload> {
        let request = ReturnRequest {
            order: parse_id(&input.order_id)?,
            lines: quantities(&input.lines)?,
            reason: input.reason,
        };
        let (viewer, orders) = (viewer(context), part::<Orders>(context)?);
        let requested = orders.request_return(viewer, &input.idempotency_key.0, &request).await?;
        Ok(match requested {
            Ok((row, lines)) => {
                ReturnRequestPayload { requested: Some(Return { row, lines }), user_errors: Vec::new() }
            }
            Err(refusal) => ReturnRequestPayload { requested: None, user_errors: vec![refusal.into()] },
        })
    }
}

fn quantities(lines: &[ReturnLineInput]) -> Result<Vec<(OrderLineId, i32)>, Fault> {
    lines.iter().map(|line| Ok((parse_id(&line.order_line_id)?, line.quantity))).collect()
}

async fn payload(context: &Context<'_>, changed: Result<WholeOrder, OrderRefusal>) -> Result<OrderPayload> {
    Ok(match changed {
        Ok(whole) => {
            let order = Loaders::of(context)?.know(whole).await;
            OrderPayload { order: Some(Order(order)), user_errors: Vec::new() }
        }
        Err(refusal) => OrderPayload { order: None, user_errors: vec![refusal.into()] },
    })
}
