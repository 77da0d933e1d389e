//! Live streams: who watches an aggregate is told when it changes.

use futures::stream::{BoxStream, StreamExt as _};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Changes that a slow watcher may be behind before it skips to the newest.
const BACKLOG: usize = 1_024;

/// Announces changes of the aggregates with ids of type `K` to whoever watches in this process.
#[derive(Clone, Debug)]
pub struct Live<K>(broadcast::Sender<K>);

impl<K: Clone + PartialEq + Send + Sync + 'static> Live<K> {
    /// Nobody watches yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Says, after the commit, that `key` changed.
    pub fn announce(&self, key: K) {
        // An error means that nobody watches.
        let _ = self.0.send(key);
    }

    /// Watches: yields whenever a key that `wanted` accepts changed. A watcher that falls behind gets what is left.
    pub fn watch(&self, wanted: impl Fn(&K) -> bool + Send + 'static) -> BoxStream<'static, K> {
        let receiver = self.0.subscribe();
        let changes = futures::stream::unfold((receiver, wanted), |(mut receiver, wanted)| async move {
            loop {
                match receiver.recv().await {
                    Ok(key) if wanted(&key) => return Some((key, (receiver, wanted))),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        changes.boxed()
    }
}

impl<K: Clone + PartialEq + Send + Sync + 'static> Default for Live<K> {
    fn default() -> Self {
        Self::new()
    }
}
