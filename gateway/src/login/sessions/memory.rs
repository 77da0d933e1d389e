//! Sessions in this process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use common::Timestamp;
use tokio::sync::{Mutex, MutexGuard};

use super::Session;
use crate::login::LoginError;

/// Sessions in one process; far more than it can serve.
const MOST: usize = 200_000;
/// Turns at refreshing. Two sessions that share one only wait for each other.
const TURNS: usize = 256;

#[derive(Default)]
pub(super) struct Memory {
    sessions: RwLock<HashMap<String, Arc<Session>>>,
}

impl Memory {
    pub(super) fn find(&self, digest: &str) -> Option<Arc<Session>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    pub(super) fn begin(&self, digest: &str, session: Session, now: Timestamp) -> Result<(), LoginError> {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST {
            sessions.retain(|_, session| !session.is_idle(now));
        }
        if sessions.len() >= MOST {
            return Err(LoginError::Unavailable);
        }
        sessions.insert(digest.to_owned(), Arc::new(session));
        Ok(())
    }

    pub(super) fn renew(&self, digest: &str, session: &Arc<Session>) -> bool {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        match sessions.get_mut(digest) {
            Some(place) => {
                place.clone_from(session);
                true
            }
            None => false,
        }
    }

    pub(super) fn end(&self, digest: &str) -> Option<Arc<Session>> {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).remove(digest)
    }
}

/// Whose turn it is in this process to renew which session.
pub(super) struct Turns {
    turns: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { turns: (0..TURNS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }
}

impl Turns {
    /// Waits until nobody else renews this session.
    pub(super) async fn wait(&self, digest: &str) -> MutexGuard<'_, ()> {
        let place = self.hasher.hash_one(digest) as usize % TURNS;
        self.turns[place].lock().await
    }
}
