//! What carts hear: products as they are now, and where to write to users.

use events::Event as _;
use events::products::ProductsEvent;
use events::users::UsersEvent;
use messaging::Consumer;

use crate::entity::shopper;
use crate::service::{self, Carts};

const TOPICS: &[&str] = &[ProductsEvent::TOPIC, UsersEvent::TOPIC];

/// What is done with each event.
pub fn consumer(carts: &Carts) -> Consumer {
    let carts = carts.clone();
    let consumer = Consumer::new(TOPICS, |tx, envelope| {
        Box::pin(async move {
            if let Some(ProductsEvent::ProductChanged(product)) = envelope.of::<ProductsEvent>()? {
                service::apply_product(tx, &product).await?;
            }
            if let Some(UsersEvent::UserRegistered { user, email, .. }) = envelope.of::<UsersEvent>()? {
                shopper::put(tx, user, email).await?;
            }
            Ok(())
        })
    });
    consumer.after(move |envelopes| {
        let told = envelopes.iter().filter_map(|envelope| envelope.of::<ProductsEvent>().ok().flatten());
        carts.moved(
            told.flat_map(|event| match event {
                ProductsEvent::ProductChanged(product) => product.variants,
                ProductsEvent::ReviewCreated { .. } => Vec::new(),
            })
            .map(|variant| variant.id),
        );
    })
}
