//! Contracts between subgraphs: what each publishes, one file per publisher. Fields are only ever added, and an added
//! field has a default, so that an old event is still read.

pub mod calls;
pub mod inventory;
pub mod orders;
pub mod payments;
pub mod products;
pub mod users;

use schemars::{Schema, schema_for};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// All that one subgraph publishes.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// The publisher, and the name of its stream.
    const TOPIC: &'static str;

    /// The aggregate that the event is about: events of one key are handled in order.
    fn key(&self) -> String;
}

/// What each publisher's events look like in JSON, by the publisher's name.
pub fn schemas() -> [(&'static str, Schema); 5] {
    [
        (inventory::InventoryEvent::TOPIC, schema_for!(inventory::InventoryEvent)),
        (orders::OrdersEvent::TOPIC, schema_for!(orders::OrdersEvent)),
        (payments::PaymentsEvent::TOPIC, schema_for!(payments::PaymentsEvent)),
        (products::ProductsEvent::TOPIC, schema_for!(products::ProductsEvent)),
        (users::UsersEvent::TOPIC, schema_for!(users::UsersEvent)),
    ]
}
