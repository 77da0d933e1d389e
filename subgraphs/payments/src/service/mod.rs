//! Use cases. Each movement of money goes the same way: `begin` writes what is wanted in a transaction, `perform` asks
//! the provider outside of it, `settle` writes what came of it, once, whoever brings the answer.

mod authorize;
mod cancel;
mod movement;
mod perform;
mod read;
mod settle;
mod webhook;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use jobs::Nudge;
use provider::PaymentProvider;
use subgraph::Ports;

pub use movement::{Capture, NewRefund};
pub(crate) use read::code_digest;
pub use worker::job;

use crate::provider;

/// How long a caller is kept waiting for the provider before it is told to ask again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a saga is kept waiting that only undoes.
const UNDOING_PATIENCE: Duration = Duration::from_secs(5);
/// How long the worker leaves a movement to the caller who began it.
const HEAD_START: Duration = Duration::from_secs(8);

/// The use cases of payments. Cheap to clone.
#[derive(Clone)]
pub struct Payments {
    ports: Ports,
    provider: Arc<dyn PaymentProvider>,
    work: Nudge,
}

impl Payments {
    /// The payments in the database of `ports`, moved by `provider`.
    pub fn new(ports: &Ports, provider: Arc<dyn PaymentProvider>) -> Self {
        Self { ports: ports.clone(), provider, work: Nudge::default() }
    }
}
