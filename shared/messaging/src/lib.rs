//! Events that survive a crash at any point.
//!
//! A use case writes its event into the outbox in its own transaction; the relay hands it to the bus; each consumer
//! records it in its inbox in the transaction that applies it. So an event is applied once by each consumer, however
//! often it is delivered, and in order per aggregate. What cannot be applied ends in the dead letters with its reason.
//!
//! The bus is memory (one process, or subgraphs that deliver to each other over HTTP) or Kafka (any number of workers).

mod bus;
mod dead_letter;
mod envelope;
mod inbox;
#[cfg(feature = "kafka")]
mod kafka;
mod lease;
mod outbox;
mod receiver;
mod relay;

pub use bus::{Bus, BusError, BusUrl, Destination, ParseBusUrlError, Topics};
pub use dead_letter::{DeadLetter, dead_letter, dead_letters, drop_dead_letter};
pub use envelope::Envelope;
pub use receiver::{Buried, Consumer, Receiver};
pub use relay::{pending, relay};

use database::Step;

pub use inbox::forget_applied;
pub use outbox::{append, forget_published};

/// The tables that every subgraph has for messaging.
pub fn migrations() -> Vec<Step> {
    let steps = [outbox::migrations(), inbox::migrations(), dead_letter::migrations(), lease::migrations()];
    steps.into_iter().flatten().collect()
}
