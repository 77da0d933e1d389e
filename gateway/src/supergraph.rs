//! The engine of the moment. A newer supergraph means another engine; requests under way keep the one they began with.

use std::sync::{PoisonError, RwLock};

use engine::Engine;

/// Holds one engine and lets it be exchanged.
pub(crate) struct Current(RwLock<Engine>);

impl Current {
    pub(crate) fn new(engine: Engine) -> Self {
        Self(RwLock::new(engine))
    }

    /// The engine to begin a request with. Never waits for longer than a pointer takes to copy.
    pub(crate) fn engine(&self) -> Engine {
        // Nothing can panic between lock and unlock, and an engine is whole or not there.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn replace(&self, engine: Engine) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }
}
