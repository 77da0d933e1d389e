//! What the catalogue hears: who bought what, so that a review can be marked as a buyer's.

use events::Event as _;
use events::orders::{OrderChange, OrdersEvent};
use messaging::Consumer;

use crate::entity::purchase;

const TOPICS: &[&str] = &[OrdersEvent::TOPIC];

/// What is done with each event.
pub fn consumer() -> Consumer {
    Consumer::new(TOPICS, |tx, envelope| {
        Box::pin(async move {
            let Some(event) = envelope.of::<OrdersEvent>()? else { return Ok(()) };
            if event.change == OrderChange::Confirmed
                && let Some(customer) = event.order.customer
            {
                let bought = event.order.lines.iter().map(|line| (customer, line.product)).collect();
                purchase::record(tx, bought).await?;
            }
            Ok(())
        })
    })
    .heeding(|envelope| match envelope.of::<OrdersEvent>() {
        Ok(Some(event)) => event.change == OrderChange::Confirmed && event.order.customer.is_some(),
        _ => true,
    })
}
