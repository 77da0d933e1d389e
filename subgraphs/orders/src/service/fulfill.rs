//! Sending goods.

use auth::Viewer;
use common::id::{OrderId, OrderLineId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use events::orders::OrderChange;
use sea_orm::EntityTrait as _;
use serde::Serialize;
use subgraph::idempotency::{Key, Replay};

use super::{Orders, WholeOrder};
use crate::domain::{
    FulfillmentStatus, LineQuantities, OrderRefusal, OrderStatus, fulfillment_status, open_quantities,
};
use crate::entity::{fulfillment, fulfillment_line, order, order_event, order_line};

/// Longest tracking number, in characters.
const LONGEST_TRACKING_NUMBER: usize = 100;

/// What is sent.
#[derive(Debug, Clone, Serialize)]
pub struct Shipment {
    /// Of which order.
    pub order: OrderId,
    /// The version that was seen.
    pub expected_version: i32,
    /// Which lines, and how many of each.
    pub lines: Vec<(OrderLineId, i32)>,
    /// The carrier's number.
    pub tracking_number: Option<String>,
}

impl Orders {
    /// Records that some of an order was sent. When nothing is left to send, the order is completed.
    pub async fn fulfill(
        &self,
        viewer: &Viewer,
        key: &str,
        request: &Shipment,
    ) -> Result<Result<WholeOrder, OrderRefusal>, Fault> {
        let number = request.tracking_number.as_deref().unwrap_or_default();
        if number.chars().count() > LONGEST_TRACKING_NUMBER {
            let (field, most) = ("trackingNumber", LONGEST_TRACKING_NUMBER);
            return Ok(Err(OrderRefusal::TooLong { field, most }));
        }
        let key = &Key::new("orderFulfill", &viewer.actor_name(), key, request)?;
        let fulfilled = self
            .ports
            .database
            .transaction(|tx| self.fulfill_in(tx, viewer, key, request).scope_boxed())
            .await;
        let fulfilled = settle(fulfilled)?;
        if let Ok(whole) = &fulfilled {
            self.order_changes.announce(whole.order.id);
        }
        Ok(fulfilled)
    }

    async fn fulfill_in(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        key: &Key,
        request: &Shipment,
    ) -> Result<WholeOrder, Failure<OrderRefusal>> {
        let refuse = |refusal| Err(Failure::Refused(refusal));
        let replay = key.claim::<OrderId>(tx, self.ports.clock.now()).await?;
        if matches!(replay, Replay::Reused) {
            return refuse(OrderRefusal::KeyReused);
        }
        let Some(order) = order::lock(tx, request.order).await? else {
            return refuse(OrderRefusal::NotFound);
        };
        let lines = order_line::of_orders(tx, vec![order.id]).await?;
        let mut whole = WholeOrder { order, lines };
        if matches!(replay, Replay::Done(_)) {
            return Ok(whole);
        }
        if whole.order.version != request.expected_version {
            return refuse(OrderRefusal::VersionConflict { current: whole.order.version });
        }
        let before = whole.order.status;
        if !matches!(before, OrderStatus::Confirmed | OrderStatus::Processing) {
            return refuse(OrderRefusal::IllegalTransition { status: before });
        }
        self.ship(tx, &mut whole, request).await?;
        let actor = viewer.actor_name();
        order::save(tx, &whole.order).await?;
        order_event::insert(tx, self.timeline(&whole.order, before, &actor)).await?;
        self.publish(tx, OrderChange::Fulfilled, &whole, None).await?;
        key.remember(tx, &whole.order.id).await?;
        Ok(whole)
    }

    /// Writes the shipment and what it changes in the order and its lines.
    async fn ship(
        &self,
        tx: &Tx,
        whole: &mut WholeOrder,
        request: &Shipment,
    ) -> Result<(), Failure<OrderRefusal>> {
        let open = |id| whole.lines.iter().find(|line| line.id == id).map(|line| line.quantities().open());
        let sent = open_quantities(&request.lines, open).map_err(Failure::Refused)?;
        let shipment = fulfillment::Model {
            id: self.ports.ids.next(),
            order_id: whole.order.id,
            status: FulfillmentStatus::Fulfilled,
            carrier: None,
            tracking_number: request.tracking_number.clone(),
            tracking_url: None,
            shipped_at: Some(self.ports.clock.now()),
        };
        let rows = sent.iter().map(|(line, quantity)| {
            fulfillment_line::ActiveModel::from(fulfillment_line::Model {
                fulfillment_id: shipment.id,
                order_line_id: *line,
                quantity: *quantity,
            })
        });
        fulfillment_line::Entity::insert_many(rows).exec_without_returning(tx).await?;
        fulfillment::Entity::insert(fulfillment::ActiveModel::from(shipment))
            .exec_without_returning(tx)
            .await?;
        for (id, quantity) in &sent {
            order_line::add_fulfilled(tx, *id, *quantity).await?;
        }
        for line in &mut whole.lines {
            line.fulfilled += sent.get(&line.id).copied().unwrap_or_default();
        }
        let quantities: Vec<LineQuantities> = whole.lines.iter().map(order_line::Model::quantities).collect();
        whole.order.fulfillment_status = fulfillment_status(&quantities, false);
        whole.order.status = match quantities.iter().all(|line| line.open() == 0) {
            true => OrderStatus::Completed,
            false => OrderStatus::Processing,
        };
        whole.order.version += 1;
        Ok(())
    }

    /// What a shipment adds to the timeline: a confirmed order of which all is sent passes through `PROCESSING`.
    fn timeline(&self, order: &order::Model, before: OrderStatus, actor: &str) -> Vec<order_event::New> {
        let event = |kind: &str, from, to| order_event::New {
            order: order.id,
            at: self.ports.clock.now(),
            kind: kind.to_owned(),
            change: (from != to).then_some((from, to)),
            actor: Some(actor.to_owned()),
        };
        let mut events = vec![event("ORDER_FULFILLED", before, OrderStatus::Processing)];
        if order.status == OrderStatus::Completed {
            events.push(event("ORDER_COMPLETED", OrderStatus::Processing, OrderStatus::Completed));
        }
        events
    }
}
