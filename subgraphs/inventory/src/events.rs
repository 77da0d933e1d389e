//! What stock hears: which variants there are, and which orders were cancelled or have left the house.

use events::Event as _;
use events::orders::{OrderChange, OrdersEvent};
use events::products::ProductsEvent;
use messaging::{Consumer, Envelope};

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
    let consumer = consumer.heeding(|envelope| match (envelope.of::<OrdersEvent>(), envelope.of()) {
        (Ok(Some(event)), _) => matches!(event.change, OrderChange::Cancelled | OrderChange::Completed),
        (_, Ok(Some(ProductsEvent::ReviewCreated { .. }))) => false,
        _ => true,
    });
    consumer.after(move |envelopes| envelopes.iter().for_each(|envelope| tell(&telling, envelope)))
}

/// Tells memory and those who watch what an event has changed.
fn tell(inventory: &Inventory, envelope: &Envelope) {
    if let Ok(Some(ProductsEvent::ProductChanged(product))) = envelope.of() {
        for variant in &product.variants {
            inventory.changed_by_events(variant.id, Some(product.id));
        }
    } else if let Ok(Some(OrdersEvent { change, order })) = envelope.of() {
        for line in order.lines {
            inventory.changed_by_events(line.variant, Some(line.product));
            if change == OrderChange::Cancelled {
                inventory.announce(line.variant);
            }
        }
    } else if let Ok(variant) = envelope.key.parse() {
        // A process that sweeps tells the others of variants.
        inventory.changed_by_events(variant, None);
        inventory.announce(variant);
    }
}
