//! Databases: connect by URL, read and write, migrate, load in batches, count statements.
//!
//! `sqlite:` keeps one connection for writing, so that writers queue instead of colliding, and several for reading.
//! `mysql:` keeps a pool at READ COMMITTED. Every statement of the shop is written for both.

mod access;
mod connect;
mod kept;
mod loader;
mod migrate;
pub mod statements;
mod transaction;

pub use access::{Reader, Tx, Writer};
pub use connect::{ConnectError, Database};
pub use loader::Loader;
pub use migrate::{Change, Step, column, migrate, table};
pub use transaction::{TransactionFailure, is_duplicate};

/// Makes the future of a transaction from an `async move` block: `|tx| async move { … }.scope_boxed()`.
pub use scoped_futures::ScopedFutureExt;
