//! Carts through their schema: what front ends ask, what `orders` asks, and what the gateway asks.

mod abandoned;
mod bench;
mod checkout;
mod codes;
mod details;
mod events;
mod lines;
mod merge;
mod reading;
mod wishes;
