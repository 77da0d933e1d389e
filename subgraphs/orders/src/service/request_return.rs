//! Asking to send goods back.

use std::collections::HashMap;

use auth::Viewer;
use common::id::{OrderId, OrderLineId, ReturnId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use sea_orm::EntityTrait as _;
use serde::Serialize;
use subgraph::idempotency::{Key, Replay};

use super::Orders;
use crate::domain::{OrderRefusal, OrderStatus, ReturnStatus, open_quantities};
use crate::entity::{order, order_event, order_line, order_return, return_line};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// What a buyer wants to send back.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnRequest {
    /// Of which order.
    pub order: OrderId,
    /// Which lines, and how many of each.
    pub lines: Vec<(OrderLineId, i32)>,
    /// Why.
    pub reason: Option<String>,
}

/// A return with the lines in it.
pub type Requested = (order_return::Model, Vec<OrderLineId>);

impl Orders {
    /// Records a buyer's wish to send back some of what was sent to them.
    pub async fn request_return(
        &self,
        viewer: &Viewer,
        key: &str,
        request: &ReturnRequest,
    ) -> Result<Result<Requested, OrderRefusal>, Fault> {
        if request.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
            return Ok(Err(OrderRefusal::TooLong { field: "reason", most: LONGEST_REASON }));
        }
        let key = &Key::new("returnRequest", &viewer.actor_name(), key, request)?;
        let requested = self
            .ports
            .database
            .transaction(|tx| self.request_return_in(tx, viewer, key, request).scope_boxed())
            .await;
        let requested = settle(requested)?;
        if requested.is_ok() {
            self.order_changes.announce(request.order);
        }
        Ok(requested)
    }

    async fn request_return_in(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        key: &Key,
        request: &ReturnRequest,
    ) -> Result<Requested, Failure<OrderRefusal>> {
        let now = self.ports.clock.now();
        let refuse = |refusal| Err(Failure::Refused(refusal));
        match key.claim::<ReturnId>(tx, now).await? {
            Replay::New => {}
            Replay::Reused => return refuse(OrderRefusal::KeyReused),
            Replay::Done(id) => {
                let known = order_return::by_ids(tx, vec![id]).await?.pop();
                let known = known.ok_or_else(|| Fault::internal("a return has gone"))?;
                let lines = return_line::of_returns(tx, vec![id]).await?;
                return Ok((known, lines.into_iter().map(|line| line.order_line_id).collect()));
            }
        }
        let found = order::lock(tx, request.order).await?;
        let own = |order: &order::Model| order.customer_id.is_some() && order.customer_id == viewer.user_id();
        let Some(order) = found.filter(own) else { return refuse(OrderRefusal::NotFound) };
        if !matches!(order.status, OrderStatus::Processing | OrderStatus::Completed) {
            return refuse(OrderRefusal::IllegalTransition { status: order.status });
        }
        let left = returnable(tx, order.id).await?;
        if left.values().all(|quantity| *quantity == 0) {
            return refuse(OrderRefusal::NothingSent);
        }
        let wanted = open_quantities(&request.lines, |line| left.get(&line).copied());
        let wanted = wanted.map_err(Failure::Refused)?;
        let row = order_return::Model {
            id: self.ports.ids.next(),
            order_id: order.id,
            status: ReturnStatus::Requested,
            reason: request.reason.clone(),
            created_at: now,
        };
        let lines = wanted.iter().map(|(line, quantity)| {
            return_line::ActiveModel::from(return_line::Model {
                return_id: row.id,
                order_line_id: *line,
                quantity: *quantity,
            })
        });
        return_line::Entity::insert_many(lines).exec_without_returning(tx).await?;
        order_return::Entity::insert(order_return::ActiveModel::from(row.clone()))
            .exec_without_returning(tx)
            .await?;
        let happened = order_event::New {
            order: order.id,
            at: now,
            kind: "RETURN_REQUESTED".to_owned(),
            change: None,
            actor: Some(viewer.actor_name()),
        };
        order_event::insert(tx, vec![happened]).await?;
        key.remember(tx, &row.id).await?;
        Ok((row, wanted.into_keys().collect()))
    }
}

/// How many of each line were sent and are not part of a return yet.
async fn returnable(tx: &Tx, order: OrderId) -> Result<HashMap<OrderLineId, i32>, Fault> {
    let lines = order_line::of_orders(tx, vec![order]).await?;
    let returns = order_return::of_orders(tx, vec![order]).await?;
    let counting: Vec<ReturnId> =
        returns.into_iter().filter(|row| row.status.counts()).map(|row| row.id).collect();
    let mut left: HashMap<OrderLineId, i32> = lines.iter().map(|line| (line.id, line.fulfilled)).collect();
    if counting.is_empty() {
        return Ok(left);
    }
    for row in return_line::of_returns(tx, counting).await? {
        if let Some(quantity) = left.get_mut(&row.order_line_id) {
            *quantity -= row.quantity;
        }
    }
    Ok(left)
}
