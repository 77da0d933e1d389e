//! What every role of the binary needs around it: logs, tasks that end together, a server that drains, metrics.

pub mod server;
mod tasks;
pub mod telemetry;

pub use tasks::Tasks;
