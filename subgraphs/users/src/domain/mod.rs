//! The rules of accounts, without databases, networks or clocks of their own.

pub mod access;
pub mod address;
pub mod country;
pub mod email;
pub mod lifetime;
pub mod password;
pub mod phone;
mod refusal;
pub mod role;
pub mod secret;
pub mod throttle;

pub use refusal::Refusal;
