//! The way back: a checkout that fails lets go of its payment, its stock and its cart. The decision is stored first, so
//! it holds whatever happens after it; then all three are asked, until all have answered.

use common::Fault;
use database::ScopedFutureExt;
use events::calls::cart::ThawCart;

use super::drive::{Halt, Next, Until, hold};
use super::steps::keep_lease;
use super::{Orders, Progress, WholeOrder};
use crate::domain::{CheckoutRefusal, CheckoutState, OrderStatus};
use crate::entity::{order, order_event};
use common::Failure;

impl Orders {
    /// Ends an attempt that holds nothing.
    pub(super) async fn refuse(&self, run: &mut Progress, refusal: &CheckoutRefusal) -> Result<Next, Halt> {
        let mut attempt = run.attempt.clone();
        attempt.state = CheckoutState::Failed;
        attempt.refusal = Some(written(refusal)?);
        self.store(&mut run.attempt, attempt, &Until::Finished).await?;
        Ok(Next::Rest)
    }

    /// Decides that the attempt fails, and that nobody will get the order.
    pub(super) async fn compensate_for(
        &self,
        run: &mut Progress,
        refusal: CheckoutRefusal,
    ) -> Result<Next, Halt> {
        let now = self.ports.clock.now();
        let mut attempt = run.attempt.clone();
        let refusal = match refusal {
            // Before a payment was begun it was not the buyer who took too long.
            CheckoutRefusal::Expired if !attempt.state.is_paying() => CheckoutRefusal::Unavailable,
            other => other,
        };
        attempt.state = CheckoutState::Compensating;
        attempt.tries = 0;
        attempt.refusal = Some(written(&refusal)?);
        hold(&mut attempt, &Until::Driving, now);
        let end = match self.has_expired(&run.attempt) {
            true => (OrderStatus::Expired, "ORDER_EXPIRED"),
            false => (OrderStatus::Cancelled, "ORDER_CANCELLED"),
        };
        let order = run.order.as_ref().map(|whole| dead(&whole.order, end.0));
        let (stored, dead) = (&attempt, &order);
        self.ports
            .database
            .transaction(|tx| {
                async move {
                    keep_lease(tx, stored).await?;
                    let Some((order, before)) = dead else { return Ok(()) };
                    if !order::save(tx, order).await? {
                        return Err(Failure::Refused(super::drive::Lost));
                    }
                    let happened = order_event::New {
                        order: order.id,
                        at: now,
                        kind: end.1.to_owned(),
                        change: Some((*before, end.0)),
                        actor: None,
                    };
                    order_event::insert(tx, vec![happened]).await?;
                    Ok::<_, Halt>(())
                }
                .scope_boxed()
            })
            .await?;
        run.attempt = attempt;
        if let (Some(WholeOrder { order: known, .. }), Some((order, _))) = (&mut run.order, order) {
            self.order_changes.announce(order.id);
            *known = order;
        }
        Ok(Next::Step)
    }

    /// Lets go of money, stock and cart. One that does not answer does not hold up the others.
    pub(super) async fn compensate(&self, run: &mut Progress) -> Result<Next, Halt> {
        let order = run.order.as_ref().map(|whole| whole.order.id);
        let thaw = ThawCart { cart: run.attempt.cart_id, attempt: run.attempt.id };
        let letting_go = async {
            match order {
                Some(order) => self.let_go(order).await.map(drop),
                None => Ok(()),
            }
        };
        let (thawed, let_go) = tokio::join!(self.ask(&thaw), letting_go);
        let () = thawed?;
        let () = let_go?;
        let mut attempt = run.attempt.clone();
        attempt.state = CheckoutState::Failed;
        self.store(&mut run.attempt, attempt, &Until::Finished).await?;
        Ok(Next::Rest)
    }
}

/// The order as it is when nobody will get it, and what it was before.
fn dead(order: &order::Model, status: OrderStatus) -> (order::Model, OrderStatus) {
    let before = order.status;
    (order::Model { status, version: order.version + 1, ..order.clone() }, before)
}

fn written(refusal: &CheckoutRefusal) -> Result<String, Fault> {
    serde_json::to_string(refusal).map_err(Fault::internal)
}
