//! Cancelling a confirmed order of which nothing was sent.

use auth::Viewer;
use common::id::OrderId;
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use events::orders::OrderChange;
use serde::Serialize;
use subgraph::idempotency::{Key, Replay};

use super::{Orders, WholeOrder, unwind};
use crate::domain::{OrderRefusal, OrderStatus, allowed_transitions, may_see};
use crate::entity::{order, order_event, order_line};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// What a buyer or a member of staff asks for.
#[derive(Debug, Clone, Serialize)]
pub struct Cancellation {
    /// Which order.
    pub order: OrderId,
    /// The version that was seen.
    pub expected_version: i32,
    /// Why.
    pub reason: Option<String>,
}

impl Orders {
    /// Cancels an order, then gives back its stock and cancels its payment. That goes on in the background where it
    /// takes longer than a buyer waits, or fails.
    pub async fn cancel(
        &self,
        viewer: &Viewer,
        key: &str,
        request: &Cancellation,
    ) -> Result<Result<WholeOrder, OrderRefusal>, Fault> {
        if request.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
            return Ok(Err(OrderRefusal::TooLong { field: "reason", most: LONGEST_REASON }));
        }
        let key = &Key::new("orderCancel", &viewer.actor_name(), key, request)?;
        let cancelled = self
            .ports
            .database
            .transaction(|tx| self.cancel_in(tx, viewer, key, request).scope_boxed())
            .await;
        let (whole, new) = match settle(cancelled)? {
            Ok(done) => done,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.order_changes.announce(whole.order.id);
        if !new {
            return Ok(Ok(whole));
        }
        let (orders, unwinding) = (self.clone(), whole.clone());
        let letting_go = Box::pin(async move { orders.unwind(unwinding).await });
        let unwound = self.patiently("cancelling", letting_go).await;
        Ok(Ok(unwound.unwrap_or(whole)))
    }

    async fn cancel_in(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        key: &Key,
        request: &Cancellation,
    ) -> Result<(WholeOrder, bool), Failure<OrderRefusal>> {
        let now = self.ports.clock.now();
        let refuse = |refusal| Err(Failure::Refused(refusal));
        let replay = key.claim::<OrderId>(tx, now).await?;
        if matches!(replay, Replay::Reused) {
            return refuse(OrderRefusal::KeyReused);
        }
        let found = order::lock(tx, request.order).await?;
        let may =
            |order: &order::Model| may_see(viewer, order.customer_id) || viewer.has_scope("orders:write");
        let Some(mut order) = found.filter(may) else { return refuse(OrderRefusal::NotFound) };
        let mut lines = order_line::of_orders(tx, vec![order.id]).await?;
        if matches!(replay, Replay::Done(_)) {
            return Ok((WholeOrder { order, lines }, false));
        }
        if order.version != request.expected_version {
            return refuse(OrderRefusal::VersionConflict { current: order.version });
        }
        let shipped = lines.iter().any(|line| line.fulfilled > 0);
        let before = order.status;
        // A pending order is its checkout's: that fails or expires by itself.
        let may_cancel = allowed_transitions(before, shipped).contains(&OrderStatus::Cancelled);
        if !may_cancel || before == OrderStatus::Pending {
            return refuse(OrderRefusal::IllegalTransition { status: before });
        }
        order.status = OrderStatus::Cancelled;
        order.version += 1;
        order.cancel_reason.clone_from(&request.reason);
        order.unwind_at = Some(now.plus(unwind::UNWINDING));
        // The row is locked, so the version is still the one that was read.
        order::save(tx, &order).await?;
        order_line::cancel_open(tx, order.id).await?;
        for line in &mut lines {
            line.cancelled = line.quantity - line.fulfilled;
        }
        let happened = order_event::New {
            order: order.id,
            at: now,
            kind: "ORDER_CANCELLED".to_owned(),
            change: Some((before, OrderStatus::Cancelled)),
            actor: Some(viewer.actor_name()),
        };
        order_event::insert(tx, vec![happened]).await?;
        let whole = WholeOrder { order, lines };
        self.publish(tx, OrderChange::Cancelled, &whole, None).await?;
        key.remember(tx, &whole.order.id).await?;
        Ok((whole, true))
    }
}
