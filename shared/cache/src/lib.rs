//! Caches in the process's memory: bounded, with an age, and never holding what was true before an invalidation; and a
//! Redis that several processes share.

mod key;
mod memory;
mod reads;
mod remote;
mod tier;

pub use key::{Key, Kind};
pub use memory::Memory;
pub use reads::{Epoch, Reads, good_until, noting, rely_on_others};
pub use redis::FromRedisValue;
pub use remote::{Away, Entry, Library, Remote, RemoteUrlError, Stream};
pub use tier::Tier;

use std::any::Any;
use std::cell::RefCell;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use hashbrown::DefaultHashBuilder;
use quick_cache::UnitWeighter;
use quick_cache::sync::DefaultLifecycle;
use tokio::sync::OnceCell;

tokio::task_local! {
    static AFRESH: Own;
}

/// What work that remembers nothing has read itself, by the epoch of what it is of.
#[derive(Default)]
struct Own(RefCell<Vec<(Epoch, Arc<dyn Any + Send + Sync>)>>);

/// Runs work that remembers nothing but what it has read itself: another process may have changed what this one
/// remembers, and others may read meanwhile where that is not known yet. What it reads is remembered.
pub async fn afresh<T>(work: impl Future<Output = T>) -> T {
    AFRESH.scope(Own::default(), work).await
}

/// Whether the work under way remembers nothing.
fn is_afresh() -> bool {
    AFRESH.try_with(|_| ()).is_ok()
}

impl Own {
    /// What the work under way reads of this, once.
    fn of<V: Send + Sync + 'static>(&self, epoch: &Epoch) -> Arc<Load<V>> {
        let mut all = self.0.borrow_mut();
        let known = all.iter().find(|(of, _)| of.is_same(epoch)).map(|(_, load)| Arc::clone(load));
        if let Some(Ok(load)) = known.map(Arc::downcast) {
            return load;
        }
        let load = Arc::new(Load::begun_now());
        all.push((epoch.clone(), Arc::clone(&load) as _));
        load
    }
}

/// Values by key, the least used dropped first.
///
/// A reader takes the [`Cache::epoch`] before it reads the database and hands it to [`Cache::insert`]: a value that was
/// read before an invalidation is not kept after it.
#[derive(Clone)]
pub struct Cache<K, V> {
    values: Arc<quick_cache::sync::Cache<K, Aged<V>, UnitWeighter, DefaultHashBuilder>>,
    /// How long a value counts; none where it does until it is forgotten.
    age: Option<Duration>,
    epoch: Epoch,
    changed: Arc<Mutex<Option<Instant>>>,
}

/// A value, and when it came, where it is to be asked how old it is.
#[derive(Clone)]
struct Aged<V> {
    value: V,
    since: Option<Instant>,
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// At most `capacity` values, each for at most `age`.
    pub fn new(capacity: usize, age: Duration) -> Self {
        Self::of(capacity, Some(age))
    }

    /// At most `capacity` values, each until it is forgotten.
    fn ageless(capacity: usize) -> Self {
        Self::of(capacity, None)
    }

    fn of(capacity: usize, age: Option<Duration>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let values = quick_cache::sync::Cache::with(
            capacity,
            capacity as u64,
            UnitWeighter,
            hasher,
            DefaultLifecycle::default(),
        );
        Self { values: Arc::new(values), age, epoch: Epoch::default(), changed: Arc::default() }
    }

    /// The value, where it is there and young enough.
    pub fn get(&self, key: &K) -> Option<V> {
        self.epoch.rely();
        if is_afresh() {
            return None;
        }
        let Aged { value, since } = self.values.get(key)?;
        let is_young = match (since, self.age) {
            (Some(since), Some(age)) => since.elapsed() < age,
            _ => true,
        };
        is_young.then_some(value)
    }

    /// The number of invalidations so far.
    pub fn epoch(&self) -> u64 {
        self.epoch.number()
    }

    /// When something was forgotten last: what is read from elsewhere than where it was written may be older.
    pub fn changed(&self) -> Option<Instant> {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.epoch.end();
    }

    /// Keeps a value that was read after `epoch` was taken.
    pub fn insert(&self, epoch: u64, key: K, value: V) {
        if self.epoch() != epoch {
            return;
        }
        let since = self.age.map(|_| Instant::now());
        self.values.insert(key.clone(), Aged { value, since });
        if self.epoch() != epoch {
            // It was forgotten between the two, maybe before it was put there.
            self.values.remove(&key);
            self.epoch.end();
        }
    }

    /// Forgets one value. To be called after the commit that changed it.
    pub fn invalidate(&self, key: &K) {
        self.change();
        self.values.remove(key);
        // Whoever found it meanwhile has relied on what is over.
        self.epoch.end();
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.change();
        self.values.clear();
        self.epoch.end();
    }
}

/// One value that is read often and changed seldom.
pub struct Cached<V> {
    latest: RwLock<Option<Arc<Load<V>>>>,
    changed: Mutex<Option<Instant>>,
    epoch: Epoch,
    age: Duration,
}

/// A value that is being read, or that was. Whoever began to wait for it gets it, also where it was forgotten meanwhile.
struct Load<V> {
    /// Before it was read.
    since: Instant,
    value: OnceCell<Arc<V>>,
}

impl<V> Load<V> {
    fn begun_now() -> Self {
        Self { since: Instant::now(), value: OnceCell::new() }
    }
}

impl<V: Send + Sync + 'static> Cached<V> {
    /// Nothing yet; a value will be kept for `age`.
    pub fn new(age: Duration) -> Self {
        Self { latest: RwLock::default(), changed: Mutex::default(), epoch: Epoch::default(), age }
    }

    /// The value, read by `load` where it is missing or too old: once, however many ask for it meanwhile. `load` gets
    /// the time at which the value was forgotten last: what is read from elsewhere than where it was written may be older.
    pub async fn get_or_load<E, Fut>(&self, load: impl FnOnce(Option<Instant>) -> Fut) -> Result<Arc<V>, E>
    where
        Fut: Future<Output = Result<V, E>>,
    {
        self.epoch.rely();
        let own = AFRESH.try_with(|own| own.of(&self.epoch)).ok();
        let is_own = own.is_some();
        let wanted = own.unwrap_or_else(|| self.latest());
        let mut loaded_after = None;
        let read = async || {
            let changed = self.changed();
            loaded_after = Some(changed);
            load(changed).await.map(Arc::new)
        };
        let value = Arc::clone(wanted.value.get_or_try_init(read).await?);
        if let Some(changed) = loaded_after.filter(|_| is_own) {
            self.publish(wanted, changed);
        }
        Ok(value)
    }

    fn latest(&self) -> Arc<Load<V>> {
        let counts = |load: &&Arc<Load<V>>| load.since.elapsed() < self.age;
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(load) = latest.as_ref().filter(counts) {
            return Arc::clone(load);
        }
        drop(latest);
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(load) = latest.as_ref().filter(counts) {
            return Arc::clone(load);
        }
        let load = Arc::new(Load::begun_now());
        let replaced = latest.replace(Arc::clone(&load));
        drop(latest);
        // What was made of the old value may not go with what is made of the new one.
        if replaced.is_some() {
            self.epoch.end();
        }
        load
    }

    /// Gives everybody what was read by work for itself, unless something newer is there or it was forgotten meanwhile.
    fn publish(&self, load: Arc<Load<V>>, changed: Option<Instant>) {
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        if self.changed() == changed && latest.as_ref().is_none_or(|known| known.since < load.since) {
            *latest = Some(load);
        }
    }

    fn changed(&self) -> Option<Instant> {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the value. To be called after the commit that changed it.
    pub fn clear(&self) {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.epoch.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Timestamp;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::sync::oneshot;

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

    #[tokio::test]
    async fn work_done_afresh_remembers_nothing_and_is_remembered() {
        let cache = Cache::new(10, Duration::from_secs(60));
        cache.insert(cache.epoch(), 1, "old");
        afresh(async {
            assert_eq!(cache.get(&1), None);
            cache.insert(cache.epoch(), 1, "new");
        })
        .await;
        assert_eq!(cache.get(&1), Some("new"));
        assert_eq!(cache.changed(), None);
        cache.invalidate(&2);
        assert!(cache.changed().is_some());
        let cached = Cached::new(Duration::from_secs(60));
        let ask = async |answer: u64| cached.get_or_load(async |_| Ok::<_, ()>(answer)).await.unwrap();
        assert_eq!(*ask(1).await, 1);
        let both = afresh(async { (*ask(2).await, *ask(3).await) }).await;
        assert_eq!(both, (2, 2), "read once, and not before");
        assert_eq!(*ask(4).await, 2);
        cached.clear();
        // Somebody else asks meanwhile, and may be answered where what this work knows of is not known yet.
        let ((begins, has_begun), (tells, is_told)) = (oneshot::channel(), oneshot::channel());
        let others = async {
            has_begun.await.unwrap();
            tells.send(*ask(5).await).unwrap();
        };
        let own = afresh(async {
            begins.send(()).unwrap();
            (is_told.await.unwrap(), *ask(6).await)
        });
        let ((), (others, own)) = futures::future::join(others, own).await;
        assert_eq!((others, own, *ask(7).await), (5, 6, 6));
    }

    #[tokio::test]
    async fn what_was_made_of_values_is_good_until_they_are_forgotten() {
        let (cache, cached) = (Cache::new(10, Duration::from_secs(60)), Cached::new(Duration::from_secs(60)));
        let look = || {
            noting(async {
                cache.insert(cache.epoch(), 1, "one");
                let found = cache.get(&1);
                (found, *cached.get_or_load(async |_| Ok::<_, ()>(2)).await.unwrap())
            })
        };
        let made = look().await.1;
        assert!(made.hold(Timestamp(0)));
        cache.invalidate(&1);
        assert!(!made.hold(Timestamp(0)));
        let made = look().await.1;
        cache.clear();
        assert!(!made.hold(Timestamp(0)));
        let made = look().await.1;
        cached.clear();
        assert!(!made.hold(Timestamp(0)));
        assert!(look().await.1.hold(Timestamp(0)));
        let soon_old = Cached::new(Duration::ZERO);
        let ask = async || *soon_old.get_or_load(async |_| Ok::<_, ()>(3)).await.unwrap();
        let made = noting(ask()).await.1;
        assert!(made.hold(Timestamp(0)));
        ask().await;
        assert!(!made.hold(Timestamp(0)), "another value is there");
    }

    #[tokio::test]
    async fn many_who_ask_at_once_load_once() {
        let cached = Cached::new(Duration::from_secs(60));
        let loads = AtomicU64::new(0);
        let ask = || {
            cached.get_or_load(async |_| {
                let load = loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                // What is forgotten before it was read is what these get, and nobody after them.
                cached.clear();
                Ok::<_, ()>(load)
            })
        };
        for round in 0..2 {
            let answers = futures::future::join_all((0..24).map(|_| ask())).await;
            assert!(answers.iter().all(|answer| answer.as_deref() == Ok(&round)), "{answers:?}");
        }
        assert_eq!(loads.into_inner(), 2);
    }

    #[tokio::test]
    async fn whoever_reads_after_a_change_knows_of_it() {
        let cached = Cached::new(Duration::from_secs(60));
        let ask = || cached.get_or_load(async |changed: Option<Instant>| Ok::<_, ()>(changed.is_some()));
        assert!(!*ask().await.unwrap());
        cached.clear();
        assert!(*ask().await.unwrap());
    }
}
