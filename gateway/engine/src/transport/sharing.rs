//! Joins identical queries that are in flight at once.
//!
//! Only calls of the same subgraph, with the same bytes, for the same audience are joined. Nobody owns a
//! shared call: each of those who wait drives it, so one that goes away does not spoil it for the others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::{CallError, HttpSubgraph};
use crate::RequestContext;

type Outcome = Result<(u16, Bytes), CallError>;
type Flight = BoxFuture<'static, Outcome>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    subgraph: String,
    audience: Arc<[u8]>,
    body: Bytes,
}

/// The calls in flight.
#[derive(Default)]
pub(crate) struct Sharing {
    flights: Mutex<HashMap<Key, WeakShared<Flight>>>,
}

impl Sharing {
    /// Sends a query, or waits for an identical one that is in flight.
    pub(crate) async fn call(
        &self,
        subgraph: &HttpSubgraph,
        name: &str,
        body: Bytes,
        audience: Arc<[u8]>,
        context: &RequestContext,
    ) -> Outcome {
        let key = Key { subgraph: name.to_owned(), audience, body };
        let flight = self.join(&key, || {
            let (subgraph, name, body) = (subgraph.clone(), name.to_owned(), key.body.clone());
            // Whoever waits watches its own deadline; the call must not end with that of its first user.
            let context = RequestContext { deadline: None, ..context.clone() };
            async move { subgraph.send(&name, body, &context).await }.boxed()
        });
        let outcome = flight.clone().await;
        self.leave(&key, &flight);
        outcome
    }

    fn join(&self, key: &Key, begin: impl FnOnce() -> Flight) -> Shared<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(WeakShared::upgrade) {
            return flight;
        }
        // Flights that all have left without an end stay behind as empty entries.
        if flights.len() >= 1024 {
            flights.retain(|_, flight| flight.upgrade().is_some());
        }
        let flight = begin().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key.clone(), weak);
        }
        flight
    }

    fn leave(&self, key: &Key, flight: &Shared<Flight>) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(entry) = flights.entry(key.clone())
            && entry.get().upgrade().is_none_or(|other| other.ptr_eq(flight))
        {
            entry.remove();
        }
    }
}
