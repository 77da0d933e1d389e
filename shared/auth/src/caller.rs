//! A viewer, and what they have written lately: what is shown to them must not be older.

use std::sync::Arc;

use common::{Mark, Marks};

use crate::Viewer;

/// On whose behalf one subgraph is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The viewer.
    pub viewer: Arc<Viewer>,
    /// How far the subgraph's database had come when the viewer last wrote to it, where that was a moment ago.
    pub mark: Option<Mark>,
}

/// On whose behalf the gateway asks any subgraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The viewer.
    pub viewer: Arc<Viewer>,
    /// What they have written a moment ago.
    pub written: Arc<Marks>,
    /// They may have written what is not known here: then nothing but the primaries will do.
    pub in_doubt: bool,
}

impl Asker {
    /// The same, as one subgraph needs to know it.
    pub fn of(&self, subgraph: &str) -> Caller {
        let mark = if self.in_doubt { Some(Mark::Unknown) } else { self.written.get(subgraph).cloned() };
        Caller { viewer: Arc::clone(&self.viewer), mark }
    }
}

impl From<Arc<Viewer>> for Caller {
    fn from(viewer: Arc<Viewer>) -> Self {
        Self { viewer, mark: None }
    }
}

impl From<Viewer> for Caller {
    fn from(viewer: Viewer) -> Self {
        Arc::new(viewer).into()
    }
}
