//! What orders hear: how their payments stand.

use events::Event as _;
use events::payments::PaymentsEvent;
use messaging::Consumer;

use crate::service::Orders;

const TOPICS: &[&str] = &[PaymentsEvent::TOPIC];

/// What is done with each event.
pub fn consumer(orders: &Orders) -> Consumer {
    let (applying, telling) = (orders.clone(), orders.clone());
    Consumer::new(TOPICS, move |tx, envelope| {
        let orders = applying.clone();
        Box::pin(async move {
            match envelope.of::<PaymentsEvent>()? {
                Some(event) => orders.note_payment(tx, &event).await,
                None => Ok(()),
            }
        })
    })
    .after(move |envelopes| {
        // Processes that drive checkouts tell the others of these.
        for attempt in envelopes.iter().filter_map(|envelope| envelope.key.parse().ok()) {
            telling.attempt_changes.announce(attempt);
        }
        // The key of a payment's event is its order, and other processes tell of orders as well.
        telling.payments_noted(envelopes.iter().filter_map(|envelope| envelope.key.parse().ok()));
    })
}
