//! Contracts between subgraphs: what each publishes, one file per publisher. Fields are only ever added, and an added
//! field has a default, so that an old event is still read.

pub mod calls;
pub mod inventory;
pub mod orders;
pub mod payments;
pub mod products;
pub mod users;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// All that one subgraph publishes.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// The publisher, and the name of its stream.
    const TOPIC: &'static str;

    /// The aggregate that the event is about: events of one key are handled in order.
    fn key(&self) -> String;
}
