//! Who is logged in by cookie. Tokens lie here and never in a browser.
//!
//! Sessions are found by the digest of the cookie, so the store alone lets nobody in. It lies in this process; a shared
//! one is another variant of [`Sessions`], with the same few steps and everything in a [`Session`] that can be written
//! down. It must then also see to it that two gateways do not refresh one session at once: the provider takes a refresh
//! token once and ends the session of whoever brings it again.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use auth::Viewer;
use common::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use super::LoginError;

/// How long a session stays that nobody uses, after the end of its last access token.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);
/// Sessions in one process; far more than it can serve.
const MOST: usize = 200_000;
/// Turns at refreshing. Two sessions that share one only wait for each other.
const TURNS: usize = 256;

/// Somebody who is logged in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    /// Who, in the default shop context.
    pub(super) viewer: Viewer,
    /// Who and which session, in the provider's words.
    pub(super) subject: String,
    pub(super) sid: Option<String>,
    /// When the access token ends that the viewer was read from.
    pub(super) expires: Timestamp,
    pub(super) refresh_token: Option<String>,
    /// Shown to the provider when the session is ended.
    pub(super) id_token: String,
}

/// Where sessions lie.
pub(super) enum Sessions {
    /// In this process.
    Memory(Memory),
}

pub(super) struct Memory {
    sessions: RwLock<HashMap<String, Arc<Session>>>,
    turns: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Sessions {
    pub(super) fn memory() -> Self {
        let turns = (0..TURNS).map(|_| Mutex::new(())).collect();
        Self::Memory(Memory { sessions: RwLock::default(), turns, hasher: RandomState::new() })
    }

    /// The session under this digest.
    pub(super) async fn find(&self, digest: &str) -> Option<Arc<Session>> {
        let Self::Memory(memory) = self;
        memory.sessions.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Begins a session.
    pub(super) async fn begin(
        &self,
        digest: String,
        session: Session,
        now: Timestamp,
    ) -> Result<(), LoginError> {
        let Self::Memory(memory) = self;
        let mut sessions = memory.sessions.write().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST {
            sessions.retain(|_, session| !session.is_idle(now));
        }
        if sessions.len() >= MOST {
            return Err(LoginError::Unavailable);
        }
        sessions.insert(digest, Arc::new(session));
        Ok(())
    }

    /// Puts what a refresh has brought in the place of what was there; nothing where the session has ended meanwhile.
    pub(super) async fn renew(&self, digest: &str, session: Arc<Session>) -> bool {
        let Self::Memory(memory) = self;
        let mut sessions = memory.sessions.write().unwrap_or_else(PoisonError::into_inner);
        match sessions.get_mut(digest) {
            Some(place) => {
                *place = session;
                true
            }
            None => false,
        }
    }

    /// Ends a session, and returns it.
    pub(super) async fn end(&self, digest: &str) -> Option<Arc<Session>> {
        let Self::Memory(memory) = self;
        memory.sessions.write().unwrap_or_else(PoisonError::into_inner).remove(digest)
    }

    /// Ends the sessions that this holds for; says how many.
    pub(super) async fn end_where(&self, ended: impl Fn(&Session) -> bool) -> usize {
        let Self::Memory(memory) = self;
        let mut sessions = memory.sessions.write().unwrap_or_else(PoisonError::into_inner);
        let before = sessions.len();
        sessions.retain(|_, session| !ended(session));
        before - sessions.len()
    }

    /// Waits until nobody else refreshes this session.
    pub(super) async fn turn(&self, digest: &str) -> MutexGuard<'_, ()> {
        let Self::Memory(memory) = self;
        let place = memory.hasher.hash_one(digest) as usize % TURNS;
        memory.turns[place].lock().await
    }
}

impl Session {
    /// Whether nobody has used it for long.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        now > self.expires.plus(IDLE)
    }
}
