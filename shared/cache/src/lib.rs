//! Caches in the process's memory: bounded, with an age, and never holding what was true before an invalidation.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

/// Values by key, the least used dropped first.
///
/// A reader takes the [`Cache::epoch`] before it reads the database and hands it to [`Cache::insert`]: a value that was
/// read before an invalidation is not kept after it.
#[derive(Clone)]
pub struct Cache<K, V> {
    values: moka::sync::Cache<K, V>,
    epoch: Arc<AtomicU64>,
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// At most `capacity` values, each for at most `age`.
    pub fn new(capacity: u64, age: Duration) -> Self {
        let values = moka::sync::Cache::builder().max_capacity(capacity).time_to_live(age).build();
        Self { values, epoch: Arc::default() }
    }

    /// The value, where it is there and young enough.
    pub fn get(&self, key: &K) -> Option<V> {
        self.values.get(key)
    }

    /// The number of invalidations so far.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Keeps a value that was read after `epoch` was taken.
    pub fn insert(&self, epoch: u64, key: K, value: V) {
        if self.epoch() == epoch {
            self.values.insert(key, value);
        }
    }

    /// Forgets one value. To be called after the commit that changed it.
    pub fn invalidate(&self, key: &K) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.values.invalidate(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.values.invalidate_all();
    }
}

/// One value that is read often and changed seldom.
pub struct Cached<V> {
    value: RwLock<Option<(Instant, Arc<V>)>>,
    age: Duration,
}

impl<V> Cached<V> {
    /// Nothing yet; a value will be kept for `age`.
    pub const fn new(age: Duration) -> Self {
        Self { value: RwLock::new(None), age }
    }

    /// The value, read by `load` where it is missing or too old.
    pub async fn get_or_load<E>(&self, load: impl Future<Output = Result<V, E>>) -> Result<Arc<V>, E> {
        let known = self.value.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some((since, value)) = known
            && since.elapsed() < self.age
        {
            return Ok(value);
        }
        let value = Arc::new(load.await?);
        let kept = Some((Instant::now(), Arc::clone(&value)));
        *self.value.write().unwrap_or_else(std::sync::PoisonError::into_inner) = kept;
        Ok(value)
    }

    /// Forgets the value.
    pub fn clear(&self) {
        *self.value.write().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_read_before_an_invalidation_is_not_kept_after_it() {
        let cache = Cache::new(10, Duration::from_secs(60));
        let before = cache.epoch();
        cache.invalidate(&1);
        cache.insert(before, 1, "old");
        assert_eq!(cache.get(&1), None);
        cache.insert(cache.epoch(), 1, "new");
        assert_eq!(cache.get(&1), Some("new"));
    }
}
