//! Use cases: what buyers and staff do with orders, and the checkout that makes them.

mod cancel;
mod checkout;
mod fulfill;
mod handover;
mod payment;
mod read;
mod request_return;
mod snapshot;
mod unwind;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::id::{CheckoutAttemptId, OrderId};
use jobs::Nudge;
use subgraph::{Live, News, Ports};

pub use cancel::Cancellation;
pub use checkout::{CheckoutRequest, Progress};
pub use fulfill::Shipment;
pub use read::{CustomerPage, WithLines, may_follow};
pub use request_return::ReturnRequest;

use crate::entity::{order, order_line};

/// How long a mutation waits for work outside of its own database before it answers that the work goes on.
const PATIENCE: Duration = Duration::from_secs(2);

/// Orders and checkouts. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    ports: Ports,
    /// Orders that changed.
    pub order_changes: Live<OrderId>,
    /// Checkouts that changed.
    pub attempt_changes: Live<CheckoutAttemptId>,
    /// Wakes the job.
    wake: Nudge,
    /// An event that was just applied left work for the worker.
    left_work: Arc<AtomicBool>,
    patience: Duration,
}

/// An order with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeOrder {
    /// The order.
    pub order: order::Model,
    /// Its lines, in order.
    pub lines: Vec<order_line::Model>,
}

impl Orders {
    /// Orders on these ports.
    pub fn new(ports: &Ports) -> Self {
        Self {
            ports: ports.clone(),
            order_changes: Live::new(),
            attempt_changes: Live::new(),
            wake: Nudge::default(),
            left_work: Arc::default(),
            patience: PATIENCE,
        }
    }

    /// What other processes are told when orders and checkouts change in this one.
    pub fn news(&self) -> [News; 2] {
        [
            News::of("orders.order", &self.order_changes, |order| order.to_string()),
            News::of("orders.attempt", &self.attempt_changes, |attempt| attempt.to_string()),
        ]
    }

    /// Has the worker look for work once the events under way are committed.
    fn wake_after_commit(&self) {
        self.left_work.store(true, Ordering::Release);
    }

    /// Tells who watches, and the worker where there is work for it, after events of payments were applied.
    pub(crate) fn payments_noted(&self, orders: impl Iterator<Item = OrderId>) {
        for order in orders {
            self.order_changes.announce(order);
        }
        if self.left_work.swap(false, Ordering::AcqRel) {
            self.wake.nudge();
        }
    }
}
