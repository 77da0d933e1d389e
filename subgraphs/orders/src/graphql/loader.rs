//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use common::Fault;
use common::id::{CartId, CheckoutAttemptId, FulfillmentId, OrderId, OrderLineId, ReturnId};
use database::Loader;
use std::collections::HashMap;

use super::part;
use crate::entity::{checkout_attempt, fulfillment, order, order_event, order_line, order_return};
use crate::service::{CustomerPage, Orders, WholeOrder, WithLines};

/// The loaders of one request.
pub struct Loaders {
    pub orders: Loader<OrderId, Arc<order::Model>>,
    pub orders_by_number: Loader<String, Arc<order::Model>>,
    pub orders_of: Loader<CustomerPage, Arc<[Arc<order::Model>]>>,
    pub lines: Loader<OrderLineId, Arc<order_line::Model>>,
    pub lines_of: Loader<OrderId, Arc<[Arc<order_line::Model>]>>,
    pub events_of: Loader<(OrderId, u64), Arc<[order_event::Model]>>,
    pub fulfillments: Loader<FulfillmentId, (fulfillment::Model, Vec<OrderLineId>)>,
    pub fulfillments_of: Loader<OrderId, WithLines<fulfillment::Model>>,
    pub returns: Loader<ReturnId, (order_return::Model, Vec<OrderLineId>)>,
    pub returns_of: Loader<OrderId, WithLines<order_return::Model>>,
    pub attempts: Loader<CheckoutAttemptId, Arc<checkout_attempt::Model>>,
    pub newest_attempts: Loader<CartId, Arc<checkout_attempt::Model>>,
}

impl Loaders {
    /// Fresh loaders over orders.
    pub fn new(orders: &Orders) -> Self {
        Self {
            orders: over(orders, |orders, keys| async move { orders.orders(keys).await }),
            orders_by_number: over(orders, |orders, keys| async move { orders.orders_by_number(keys).await }),
            orders_of: over(orders, |orders, keys| async move { orders.orders_of(keys).await }),
            lines: over(orders, |orders, keys| async move { orders.lines(keys).await }),
            lines_of: over(orders, |orders, keys| async move { orders.lines_of(keys).await }),
            events_of: over(orders, |orders, keys| async move { orders.events_of(keys).await }),
            fulfillments: over(orders, |orders, keys| async move { orders.fulfillments(keys).await }),
            fulfillments_of: over(orders, |orders, keys| async move { orders.fulfillments_of(keys).await }),
            returns: over(orders, |orders, keys| async move { orders.returns(keys).await }),
            returns_of: over(orders, |orders, keys| async move { orders.returns_of(keys).await }),
            attempts: over(orders, |orders, keys| async move { orders.attempts(keys).await }),
            newest_attempts: over(orders, |orders, keys| async move { orders.newest_attempts(keys).await }),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }

    /// Puts an order there that is in memory already.
    pub async fn know(&self, whole: WholeOrder) -> Arc<order::Model> {
        let order = Arc::new(whole.order);
        self.orders.prime(order.id, Arc::clone(&order)).await;
        if !whole.lines.is_empty() {
            self.lines_of.prime(order.id, whole.lines.into_iter().map(Arc::new).collect()).await;
        }
        order
    }
}

fn over<K, V, Fut>(
    orders: &Orders,
    fetch: impl Fn(Orders, Vec<K>) -> Fut + Send + Sync + 'static,
) -> Loader<K, V>
where
    K: Eq + Hash + Clone + std::fmt::Debug + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<HashMap<K, V>, Fault>> + Send + 'static,
{
    let orders = orders.clone();
    Loader::new(move |keys| fetch(orders.clone(), keys))
}
