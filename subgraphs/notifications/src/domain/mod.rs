//! The rules of notifications, without databases, networks or clocks of their own.

pub mod access;
pub mod alert;
pub mod delivery;
mod refusal;
pub mod template;
pub mod topic;
pub mod webhook;

pub use delivery::DeliveryState;
pub use refusal::Refusal;
pub use topic::{Channel, Channels, Topic};
