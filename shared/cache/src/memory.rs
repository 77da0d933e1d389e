//! What a process remembers of one database, and when it forgets all of it.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::Cache;

/// Makes the caches of what is in one database. Cheap to clone.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    lasting: bool,
    forget: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl Memory {
    /// Of a database of which it is known when others may have written to it: what is remembered lasts until it is
    /// forgotten.
    pub fn lasting() -> Self {
        Self::of(true)
    }

    /// Of a database that others may have written to: what is remembered is forgotten at its age.
    pub fn aging() -> Self {
        Self::of(false)
    }

    fn of(lasting: bool) -> Self {
        Self(Arc::new(Inner { lasting, forget: Mutex::default() }))
    }

    /// Whether values are kept until they are forgotten.
    pub fn is_lasting(&self) -> bool {
        self.0.lasting
    }

    /// A cache of at most `capacity` values. `age` is how long others' changes may go unseen.
    pub fn cache<K, V>(&self, capacity: usize, age: Duration) -> Cache<K, V>
    where
        K: Hash + Eq + Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        if !self.0.lasting {
            return Cache::new(capacity, age);
        }
        let cache = Cache::ageless(capacity);
        let forgetting = cache.clone();
        let mut forget = self.0.forget.lock().unwrap_or_else(PoisonError::into_inner);
        forget.push(Box::new(move || forgetting.clear()));
        cache
    }

    /// Forgets everything that would last.
    pub fn forget(&self) {
        for forget in &*self.0.forget.lock().unwrap_or_else(PoisonError::into_inner) {
            forget();
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").field("lasting", &self.0.lasting).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_lasts_is_forgotten_together() {
        let memory = Memory::lasting();
        let (one, other) = (memory.cache(10, Duration::ZERO), memory.cache(10, Duration::ZERO));
        one.insert(one.epoch(), 1, "one");
        other.insert(other.epoch(), "two", 2);
        let (found, made) = crate::noting(async { (one.get(&1), other.get(&"two")) }).await;
        assert_eq!((found, made.hold(common::Timestamp(0))), ((Some("one"), Some(2)), true));
        memory.forget();
        assert_eq!((one.get(&1), other.get(&"two"), made.hold(common::Timestamp(0))), (None, None, false));
    }

    #[test]
    fn what_ages_is_forgotten_by_itself() {
        let memory = Memory::aging();
        let cache = memory.cache(10, Duration::ZERO);
        cache.insert(cache.epoch(), 1, "one");
        assert_eq!((cache.get(&1), memory.is_lasting()), (None, false));
    }
}
