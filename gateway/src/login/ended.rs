//! Sessions that have ended while tokens of theirs still hold: a signature says nothing about that.
//!
//! It is asked for every request with a session, so it must be quick. What is known lies in this process; a shared list
//! is another variant that is read here and told of every ending.

use common::id::SessionId;
use common::{Clock, Timestamp};
use quick_cache::sync::Cache;
use std::time::Duration;

/// Longer than any access token lasts: after that nobody can come with one of the session.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Endings that are remembered.
const MOST: usize = 100_000;

/// Where endings are noted.
pub(crate) enum Ended {
    /// In this process.
    Memory { sessions: Cache<SessionId, Timestamp>, clock: Clock },
}

impl Ended {
    pub(crate) fn memory(clock: Clock) -> Self {
        Self::Memory { sessions: Cache::new(MOST), clock }
    }

    /// Whether the session has ended.
    pub(crate) fn contains(&self, session: SessionId) -> bool {
        let Self::Memory { sessions, clock } = self;
        sessions.get(&session).is_some_and(|until| clock.now() < until)
    }

    /// Notes that a session has ended.
    pub(crate) fn note(&self, session: SessionId) {
        let Self::Memory { sessions, clock } = self;
        sessions.insert(session, clock.now().plus(KEPT));
    }
}
