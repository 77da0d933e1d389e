//! The gateway from outside, over a subgraph made for it: what goes over the wire, and what is refused.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test where it stands")]

mod chance;
mod door;
mod endings;
mod events;
mod identity;
mod leftover;
mod limits;
mod log_in;
mod pages;
mod place;
mod provider;
mod rates;
mod shared_rates;
mod shared_sessions;
mod shared_writes;
mod shop;
mod sockets;
mod tokens;
mod wire;
