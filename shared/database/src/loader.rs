//! Batches: many single look-ups of one request become one statement.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use common::Fault;
use dataloader::BatchFn;
use dataloader::cached;
use futures::future::BoxFuture;

type Peek<K, V> = dyn Fn(&K) -> Option<V> + Send + Sync;
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, Fault>> + Send + Sync;

/// Collects the keys asked for while a request runs and fetches them together. One per request: answers are kept for
/// its length, so the same key is fetched once.
#[derive(Clone)]
pub struct Loader<K, V>
where
    K: Eq + Hash + Clone + Debug + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    inner: cached::Loader<K, Result<Option<V>, Fault>, Batch<K, V>>,
    known: Option<Arc<Peek<K, V>>>,
}

struct Batch<K, V>(Arc<Fetch<K, V>>);

impl<K, V> Loader<K, V>
where
    K: Eq + Hash + Clone + Debug + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A loader over `fetch`, which gets distinct keys and returns what it found.
    pub fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, V>, Fault>> + Send + 'static,
    {
        let fetch: Arc<Fetch<K, V>> = Arc::new(move |keys| Box::pin(fetch(keys)));
        // All look-ups of a request are polled by one task: after two yields every one of them has asked.
        let inner = cached::Loader::new(Batch(fetch)).with_max_batch_size(500).with_yield_count(2);
        Self { inner, known: None }
    }

    /// The same loader, which looks here first: what is in memory is answered at once, without waiting for a batch.
    #[must_use]
    pub fn knowing(mut self, peek: impl Fn(&K) -> Option<V> + Send + Sync + 'static) -> Self {
        self.known = Some(Arc::new(peek));
        self
    }

    /// What belongs to the key, or `None`.
    pub async fn load(&self, key: K) -> Result<Option<V>, Fault> {
        if let Some(known) = self.known.as_ref().and_then(|peek| peek(&key)) {
            return Ok(Some(known));
        }
        self.inner.try_load(key).await.map_err(Fault::internal)?
    }

    /// Puts an answer there that is known already.
    pub async fn prime(&self, key: K, value: V) {
        self.inner.prime(key, Ok(Some(value))).await;
    }
}

impl<K, V> BatchFn<K, Result<Option<V>, Fault>> for Batch<K, V>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Result<Option<V>, Fault>> {
        match (self.0)(keys.to_vec()).await {
            Ok(mut found) => keys.iter().map(|key| (key.clone(), Ok(found.remove(key)))).collect(),
            Err(fault) => keys.iter().map(|key| (key.clone(), Err(fault.clone()))).collect(),
        }
    }
}
