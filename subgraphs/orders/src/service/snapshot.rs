//! Orders as the others are told of them.

use common::Fault;
use database::Tx;
use events::orders::{OrderChange, OrderLineSnapshot, OrderSnapshot, OrdersEvent};

use super::{Orders, WholeOrder};

impl Orders {
    /// Writes into the outbox what happened to an order, with the order as it is after it.
    pub(super) async fn publish(
        &self,
        tx: &Tx,
        change: OrderChange,
        whole: &WholeOrder,
        tracking_url: Option<String>,
    ) -> Result<(), Fault> {
        self.ports.publish(tx, &OrdersEvent { change, order: snapshot(whole, tracking_url) }).await
    }
}

fn snapshot(whole: &WholeOrder, tracking_url: Option<String>) -> OrderSnapshot {
    let order = &whole.order;
    OrderSnapshot {
        id: order.id,
        number: order.number.clone(),
        version: order.version,
        customer: order.customer_id,
        email: order.email.clone(),
        locale: order.locale.clone(),
        total: order.money(order.total),
        placed_at: order.placed_at.unwrap_or(order.created_at),
        tracking_url,
        lines: whole
            .lines
            .iter()
            .map(|line| OrderLineSnapshot {
                id: line.id,
                variant: line.variant_id,
                product: line.product_id,
                title: line.title.clone(),
                quantity: line.quantity,
                total: line.money(line.total),
            })
            .collect(),
    }
}
