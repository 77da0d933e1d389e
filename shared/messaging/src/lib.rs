//! Events that survive a crash at any point.
//!
//! A use case writes its event into the outbox in its own transaction; the relay hands it to the bus; each consumer
//! records it in its inbox in the transaction that applies it. So an event is applied once by each consumer, however
//! often it is delivered, and in order per publisher. What cannot be applied ends in the dead letters with its reason.

mod bus;
mod dead_letter;
mod envelope;
mod inbox;
mod outbox;
mod receiver;
mod relay;

pub use bus::{Bus, Destination};
pub use envelope::Envelope;
pub use receiver::{Consumer, Receiver};
pub use relay::{pending, relay};

use database::Step;

pub use outbox::append;

/// The tables that every subgraph has for messaging.
pub fn migrations() -> Vec<Step> {
    [outbox::migrations(), inbox::migrations(), dead_letter::migrations()].into_iter().flatten().collect()
}
