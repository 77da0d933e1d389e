//! Live orders and checkouts: first as they are, then after each change.

use std::sync::Arc;

use async_graphql::{Context, ID, Result, Subscription as Live};
use common::{Fault, FaultCode};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use subgraph::graphql::{parse_id, viewer};

use super::attempt::CheckoutAttempt;
use super::order::Order;
use super::part;
use crate::domain::may_see;
use crate::entity::{checkout_attempt, order};
use crate::service::{Orders, may_follow};

/// Where watching begins.
pub struct Subscription;

/// Where watching begins.
#[Live]
impl Subscription {
    /// A checkout as it goes on: as it is now, then after each step. Ends when it is confirmed or has failed for good.
    async fn checkout_progress(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The attempt's id.")] attempt_id: ID,
    ) -> Result<BoxStream<'static, Result<CheckoutAttempt>>> {
        let id = parse_id(&attempt_id)?;
        let orders = part::<Orders>(context)?.clone();
        let viewer = viewer(context);
        // Watching begins before reading, so that no change falls between the two.
        let changes = orders.attempt_changes.watch(move |changed| *changed == id).map(drop);
        let first = attempt(&orders, id).await?.filter(|attempt| may_follow(viewer, attempt));
        let first = first.ok_or_else(|| nothing_to_watch("checkout"))?;
        let later = stream::unfold(
            (orders, changes, is_final(&first)),
            move |(orders, mut changes, end)| async move {
                if end {
                    return None;
                }
                changes.next().await?;
                let next = match attempt(&orders, id).await {
                    Ok(next) => Ok(next?),
                    Err(fault) => Err(fault.into()),
                };
                let end = next.as_ref().is_ok_and(|next| is_final(next));
                Some((next, (orders, changes, end)))
            },
        );
        Ok(stream::iter([Ok(first)]).chain(later).map(|row| row.map(CheckoutAttempt)).boxed())
    }

    /// One of the viewer's orders: as it is now, then after each change.
    async fn order_updated(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order's id.")] id: ID,
    ) -> Result<BoxStream<'static, Result<Order>>> {
        let id = parse_id(&id)?;
        let orders = part::<Orders>(context)?.clone();
        let viewer = viewer(context);
        let changes = orders.order_changes.watch(move |changed| *changed == id).map(drop);
        let first = order(&orders, id).await?.filter(|order| may_see(viewer, order.customer_id));
        let first = first.ok_or_else(|| nothing_to_watch("order"))?;
        let later = stream::unfold((orders, changes), move |(orders, mut changes)| async move {
            changes.next().await?;
            let next = match order(&orders, id).await {
                Ok(next) => Ok(next?),
                Err(fault) => Err(fault.into()),
            };
            Some((next, (orders, changes)))
        });
        Ok(stream::iter([Ok(first)]).chain(later).map(|row| row.map(Order)).boxed())
    }
}

async fn attempt(
    orders: &Orders,
    id: common::id::CheckoutAttemptId,
) -> Result<Option<Arc<checkout_attempt::Model>>, Fault> {
    Ok(orders.attempts(vec![id]).await?.remove(&id))
}

async fn order(orders: &Orders, id: common::id::OrderId) -> Result<Option<Arc<order::Model>>, Fault> {
    Ok(orders.orders(vec![id]).await?.remove(&id))
}

/// Whether nothing will change any more that a buyer would see.
fn is_final(attempt: &checkout_attempt::Model) -> bool {
    use crate::domain::CheckoutState;
    matches!(attempt.state, CheckoutState::Confirmed | CheckoutState::Failed)
}

fn nothing_to_watch(what: &str) -> Fault {
    Fault::new(FaultCode::Forbidden, format!("There is no such {what}, or it is not yours."))
}
