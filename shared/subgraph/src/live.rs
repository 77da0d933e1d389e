//! Live streams: who watches an aggregate is told when it changes.

use std::sync::Arc;

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

/// What is announced to who watches in this process, for other processes of the same subgraph: a topic, and the key of
/// what changed as text.
#[derive(Clone)]
pub struct News(Arc<dyn Fn() -> BoxStream<'static, (&'static str, String)> + Send + Sync>);

impl News {
    /// What `live` announces, under `topic`; `key` writes the key down.
    pub fn of<K>(topic: &'static str, live: &Live<K>, key: fn(K) -> String) -> Self
    where
        K: Clone + PartialEq + Send + Sync + 'static,
    {
        let live = live.clone();
        Self(Arc::new(move || live.watch(|_| true).map(move |changed| (topic, key(changed))).boxed()))
    }

    /// All that is announced from now on.
    pub(crate) fn stream(&self) -> BoxStream<'static, (&'static str, String)> {
        (self.0)()
    }
}

impl<K: Clone + PartialEq + Send + Sync + 'static> Default for Live<K> {
    fn default() -> Self {
        Self::new()
    }
}
