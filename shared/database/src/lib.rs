//! Databases: connect by URL, read and write, migrate, load in batches, count statements.
//!
//! `sqlite:` keeps one connection for writing, so that writers queue instead of colliding, and several for reading.
//! `mysql:` keeps a pool at READ COMMITTED, reads from replicas what they know, and asks nothing of a server that is away.
//! Every statement of the shop is written for both.

mod access;
mod connect;
mod kept;
mod loader;
mod migrate;
mod newest;
mod options;
mod primary;
mod replica;
pub mod statements;
mod transaction;

pub use access::{Reader, Tx, Writer};
pub use connect::{ConnectError, Database};
pub use loader::Loader;
pub use migrate::{Change, Step, column, migrate, missing, table};
pub use newest::newest;
pub use options::Options;
pub use replica::reading;
pub use transaction::{TransactionFailure, is_duplicate};

/// Makes the future of a transaction from an `async move` block: `|tx| async move { … }.scope_boxed()`.
pub use scoped_futures::ScopedFutureExt;
