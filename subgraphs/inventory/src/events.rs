//! What stock hears: which variants there are, and which orders were cancelled or have left the house.

use events::Event as _;
use events::orders::{OrderChange, OrdersEvent};
use events::products::ProductsEvent;
use messaging::Consumer;

use crate::service::{Inventory, note_product, release_in, ship_in};

const TOPICS: &[&str] = &[ProductsEvent::TOPIC, OrdersEvent::TOPIC];

/// What is done with each event.
pub fn consumer(inventory: &Inventory) -> Consumer {
    let applying = inventory.clone();
    let telling = inventory.clone();
    let consumer = Consumer::new(TOPICS, move |tx, envelope| {
        let ports = applying.ports().clone();
        Box::pin(async move {
            if let Some(ProductsEvent::ProductChanged(product)) = envelope.of()? {
                return note_product(tx, &product).await;
            }
            let Some(event) = envelope.of::<OrdersEvent>()? else { return Ok(()) };
            match event.change {
                // The checkout releases by itself; this is for orders that are cancelled in other ways.
                OrderChange::Cancelled => release_in(&ports, tx, event.order.id).await.map(drop),
                OrderChange::Completed => ship_in(&ports, tx, event.order.id).await,
                OrderChange::Confirmed | OrderChange::Fulfilled => Ok(()),
            }
        })
    });
    let consumer = consumer.heeding(|envelope| match envelope.of::<OrdersEvent>() {
        Ok(Some(event)) => matches!(event.change, OrderChange::Cancelled | OrderChange::Completed),
        _ => true,
    });
    consumer.after(move |envelopes| {
        // A process that sweeps tells the others of variants.
        let news = envelopes.iter().filter_map(|envelope| envelope.key.parse().ok());
        let cancelled = envelopes
            .iter()
            .filter_map(|envelope| envelope.of::<OrdersEvent>().ok().flatten())
            .filter(|event| event.change == OrderChange::Cancelled)
            .flat_map(|event| event.order.lines);
        telling.changed_by_events(cancelled.map(|line| line.variant).chain(news));
    })
}
