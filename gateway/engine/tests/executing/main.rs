//! Runs operations over fake subgraphs and looks at what they were sent and what the client gets.

mod fake;
mod faults;
mod flow;
mod requests;
mod server;
mod shop;
mod support;
mod transport;
