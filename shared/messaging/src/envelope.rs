//! An event on its way.

use common::id::EventId;
use common::{Fault, Timestamp};
use events::Event;
use serde::{Deserialize, Serialize};
use trace::Cause;

/// An event with what is needed to carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Which event: the same at every delivery.
    pub id: EventId,
    /// The publisher.
    pub topic: String,
    /// The aggregate.
    pub key: String,
    /// When it was written.
    pub at: Timestamp,
    /// The event as JSON text.
    pub payload: String,
    /// Why it was written.
    #[serde(default, skip_serializing_if = "Cause::is_unknown")]
    pub cause: Cause,
}

impl Envelope {
    /// The event inside.
    pub fn open<E: Event>(&self) -> Result<E, Fault> {
        serde_json::from_str(&self.payload).map_err(Fault::internal)
    }

    /// The event inside, where this is of `E`'s topic.
    pub fn of<E: Event>(&self) -> Result<Option<E>, Fault> {
        if self.topic == E::TOPIC { self.open().map(Some) } else { Ok(None) }
    }
}
