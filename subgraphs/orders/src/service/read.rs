//! Reading orders and attempts, in batches. Who may see what is found is decided by `domain::may_see`, which every way
//! in from outside goes through.

use std::collections::HashMap;
use std::sync::Arc;

use auth::Viewer;
use common::id::{CartId, CheckoutAttemptId, FulfillmentId, OrderId, OrderLineId, ReturnId, UserId};
use common::{Fault, PageArgs, Timestamp};
use database::Reader;

use super::{Orders, checkout};
use crate::domain::{OrderStatus, may_see};
use crate::entity::{
    checkout_attempt, fulfillment, fulfillment_line, order, order_event, order_line, order_return,
    return_line,
};

/// A page of a customer's orders: whose, after what, and how many rows to read.
pub type CustomerPage = (UserId, Option<(Timestamp, OrderId)>, u64);

/// Shipments or returns of one order, each with the lines in it.
pub type WithLines<T> = Arc<[(T, Vec<OrderLineId>)]>;

impl Orders {
    fn read(&self) -> &Reader {
        self.ports.database.read()
    }

    /// Orders by id.
    pub async fn orders(&self, ids: Vec<OrderId>) -> Result<HashMap<OrderId, Arc<order::Model>>, Fault> {
        let rows = order::by_ids(self.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }

    /// Orders by number.
    pub async fn orders_by_number(
        &self,
        numbers: Vec<String>,
    ) -> Result<HashMap<String, Arc<order::Model>>, Fault> {
        let rows = order::by_numbers(self.read(), numbers).await?;
        Ok(rows.into_iter().map(|row| (row.number.clone(), Arc::new(row))).collect())
    }

    /// All orders, newest first.
    pub async fn all_orders(
        &self,
        status: Option<OrderStatus>,
        page: &PageArgs,
    ) -> Result<Vec<Arc<order::Model>>, Fault> {
        let after = page.after.as_ref().map(|cursor| cursor.key(0, 1)).transpose()?;
        let rows = order::newest(self.read(), status, after, page.limit()).await?;
        Ok(rows.into_iter().map(Arc::new).collect())
    }

    /// Pages of customers' placed orders, newest first: one statement for all pages that begin alike, as those of one
    /// fetch do.
    pub async fn orders_of(
        &self,
        pages: Vec<CustomerPage>,
    ) -> Result<HashMap<CustomerPage, Arc<[Arc<order::Model>]>>, Fault> {
        let mut alike: HashMap<_, Vec<UserId>> = HashMap::new();
        for (customer, after, limit) in pages {
            alike.entry((after, limit)).or_default().push(customer);
        }
        let mut found = HashMap::new();
        for ((after, limit), customers) in alike {
            let mut grouped: HashMap<UserId, Vec<Arc<order::Model>>> =
                customers.iter().map(|customer| (*customer, Vec::new())).collect();
            for row in order::of_customers(self.read(), customers, after, limit).await? {
                if let Some(orders) = row.customer_id.and_then(|customer| grouped.get_mut(&customer)) {
                    orders.push(Arc::new(row));
                }
            }
            found.extend(
                grouped.into_iter().map(|(customer, orders)| ((customer, after, limit), orders.into())),
            );
        }
        Ok(found)
    }

    /// Lines by id.
    pub async fn lines(
        &self,
        ids: Vec<OrderLineId>,
    ) -> Result<HashMap<OrderLineId, Arc<order_line::Model>>, Fault> {
        let rows = order_line::by_ids(self.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }

    /// The lines of orders.
    pub async fn lines_of(
        &self,
        orders: Vec<OrderId>,
    ) -> Result<HashMap<OrderId, Arc<[Arc<order_line::Model>]>>, Fault> {
        let rows = order_line::of_orders(self.read(), orders.clone()).await?;
        Ok(grouped(orders, rows.into_iter().map(|row| (row.order_id, Arc::new(row)))))
    }

    /// The first so many events of each order.
    pub async fn events_of(
        &self,
        keys: Vec<(OrderId, u64)>,
    ) -> Result<HashMap<(OrderId, u64), Arc<[order_event::Model]>>, Fault> {
        let mut alike: HashMap<u64, Vec<OrderId>> = HashMap::new();
        for (order, limit) in keys {
            alike.entry(limit).or_default().push(order);
        }
        let mut found = HashMap::new();
        for (limit, orders) in alike {
            let rows = order_event::of_orders(self.read(), orders.clone(), limit).await?;
            let events = grouped(orders, rows.into_iter().map(|row| (row.order_id, row)));
            found.extend(events.into_iter().map(|(order, events)| ((order, limit), events)));
        }
        Ok(found)
    }

    /// Shipments by id, each with its lines.
    pub async fn fulfillments(
        &self,
        ids: Vec<FulfillmentId>,
    ) -> Result<HashMap<FulfillmentId, (fulfillment::Model, Vec<OrderLineId>)>, Fault> {
        let rows = fulfillment::by_ids(self.read(), ids).await?;
        let rows = self.with_fulfillment_lines(rows).await?;
        Ok(rows.into_iter().map(|row| (row.0.id, row)).collect())
    }

    /// The shipments of orders.
    pub async fn fulfillments_of(
        &self,
        orders: Vec<OrderId>,
    ) -> Result<HashMap<OrderId, WithLines<fulfillment::Model>>, Fault> {
        let rows = fulfillment::of_orders(self.read(), orders.clone()).await?;
        let rows = self.with_fulfillment_lines(rows).await?;
        Ok(grouped(orders, rows.into_iter().map(|row| (row.0.order_id, row))))
    }

    async fn with_fulfillment_lines(
        &self,
        rows: Vec<fulfillment::Model>,
    ) -> Result<Vec<(fulfillment::Model, Vec<OrderLineId>)>, Fault> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let lines = fulfillment_line::of_fulfillments(self.read(), ids.clone()).await?;
        let lines = grouped(ids, lines.into_iter().map(|line| (line.fulfillment_id, line.order_line_id)));
        let lines_of = |id| lines.get(&id).map(|lines| lines.to_vec()).unwrap_or_default();
        Ok(rows.into_iter().map(|row| (row.clone(), lines_of(row.id))).collect())
    }

    /// Returns by id, each with its lines.
    pub async fn returns(
        &self,
        ids: Vec<ReturnId>,
    ) -> Result<HashMap<ReturnId, (order_return::Model, Vec<OrderLineId>)>, Fault> {
        let rows = order_return::by_ids(self.read(), ids).await?;
        let rows = self.with_return_lines(rows).await?;
        Ok(rows.into_iter().map(|row| (row.0.id, row)).collect())
    }

    /// The returns of orders.
    pub async fn returns_of(
        &self,
        orders: Vec<OrderId>,
    ) -> Result<HashMap<OrderId, WithLines<order_return::Model>>, Fault> {
        let rows = order_return::of_orders(self.read(), orders.clone()).await?;
        let rows = self.with_return_lines(rows).await?;
        Ok(grouped(orders, rows.into_iter().map(|row| (row.0.order_id, row))))
    }

    async fn with_return_lines(
        &self,
        rows: Vec<order_return::Model>,
    ) -> Result<Vec<(order_return::Model, Vec<OrderLineId>)>, Fault> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let lines = return_line::of_returns(self.read(), ids.clone()).await?;
        let lines = grouped(ids, lines.into_iter().map(|line| (line.return_id, line.order_line_id)));
        let lines_of = |id| lines.get(&id).map(|lines| lines.to_vec()).unwrap_or_default();
        Ok(rows.into_iter().map(|row| (row.clone(), lines_of(row.id))).collect())
    }

    /// Attempts by id.
    pub async fn attempts(
        &self,
        ids: Vec<CheckoutAttemptId>,
    ) -> Result<HashMap<CheckoutAttemptId, Arc<checkout_attempt::Model>>, Fault> {
        let rows = checkout_attempt::by_ids(self.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }

    /// The newest attempt of each cart.
    pub async fn newest_attempts(
        &self,
        carts: Vec<CartId>,
    ) -> Result<HashMap<CartId, Arc<checkout_attempt::Model>>, Fault> {
        let mut newest = HashMap::new();
        for row in checkout_attempt::of_carts(self.read(), carts).await? {
            newest.entry(row.cart_id).or_insert_with(|| Arc::new(row));
        }
        Ok(newest)
    }

    /// Whether a guest with this token may read the order.
    pub fn token_opens(&self, order: &order::Model, token: &str) -> bool {
        checkout::opens(order, token)
    }
}

/// Whether the viewer may follow an attempt: its buyer, staff and services, and for a guest's attempt whoever knows its
/// id, which nobody can guess.
pub fn may_follow(viewer: &Viewer, attempt: &checkout_attempt::Model) -> bool {
    attempt.buyer_id.is_none() || may_see(viewer, attempt.buyer_id)
}

/// Rows by what they belong to, with an empty list where there are none.
fn grouped<K, V>(keys: Vec<K>, rows: impl Iterator<Item = (K, V)>) -> HashMap<K, Arc<[V]>>
where
    K: std::hash::Hash + Eq,
{
    let mut groups: HashMap<K, Vec<V>> = keys.into_iter().map(|key| (key, Vec::new())).collect();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| (key, rows.into())).collect()
}
