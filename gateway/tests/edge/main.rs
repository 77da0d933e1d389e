//! The gateway from outside, over a subgraph made for it: what goes over the wire, and what is refused.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test where it stands")]

mod chance;
mod door;
mod events;
mod identity;
mod leftover;
mod limits;
mod log_in;
mod pages;
mod provider;
mod rates;
mod shared_rates;
mod shop;
mod sockets;
mod tokens;
mod wire;
