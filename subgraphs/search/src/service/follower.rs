//! Keeps the search engine as new as the database.
//!
//! A change marks its products as pending in its own transaction (`entity::revision`). A job reads them again, gives
//! them to the engine with their revisions as versions, and unmarks them. Wherever it is killed, what is marked is done
//! again, and what the engine knows in a newer revision it keeps. Processes that search tell the job by a row when the
//! engine has lost the index, and find out by themselves when it answers again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::Fault;
use common::id::ProductId;
use database::Database;
use jobs::{Job, Nudge};
use subgraph::Ports;
use tokio::sync::Notify;

use super::engine::{Engine, EngineError, Into, Versioned, document};
use super::entries;
use super::fallback::fill_words;
use crate::domain::Facets;
use crate::entity::{document as rows, index_state, revision, stock};

/// Products told of at once.
pub const BATCH: u64 = 500;
/// How long to wait where nobody wakes us: other processes change products as well.
const IDLE: Duration = Duration::from_secs(1);
/// The job that builds an index anew.
pub const REINDEX: &str = "reindex";
/// How often is looked whether an engine that did not answer does again.
const LOOKING: Duration = Duration::from_secs(2);

/// Answers are forgotten so seldom at the most. Where one change follows another, they are found that much later.
const FORGETTING: Duration = Duration::from_secs(5);

/// What follows the database on behalf of an engine.
pub struct Follower {
    pub(super) engine: Engine,
    pub(super) database: Database,
    changed: Nudge,
    /// A search has missed the alias.
    missed: Notify,
    /// Whether the alias was seen on the engine since it was last missing.
    seen: AtomicBool,
    /// Whether answers are still to be forgotten that processes share: their Redis was away, or some were forgotten a
    /// moment ago.
    owed: AtomicBool,
    /// When some were forgotten last.
    forgotten: Mutex<Option<Instant>>,
}

impl Follower {
    /// A follower that does nothing yet.
    pub fn new(engine: Engine, ports: &Ports) -> Self {
        let (changed, missed) = (Nudge::default(), Notify::new());
        let (seen, owed) = (AtomicBool::new(false), AtomicBool::new(false));
        Self {
            engine,
            database: ports.database.clone(),
            changed,
            missed,
            seen,
            owed,
            forgotten: Mutex::default(),
        }
    }

    /// The engine that is told.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Says that there is something pending.
    pub fn wake(&self) {
        self.changed.nudge();
    }

    /// Says that the engine does not know the alias.
    pub fn missed(&self) {
        self.missed.notify_one();
    }

    /// The jobs: one that tells the engine, and one that builds the index anew where somebody asks for it.
    pub fn jobs(self: &Arc<Self>) -> [Job; 2] {
        let telling =
            Job::every("index-products", IDLE, self, |follower, _| async move { follower.catch_up().await })
                .looking(self, |follower| async move { follower.has_work().await })
                .nudged_by(&self.changed);
        let building =
            Job::asked(REINDEX, self, |follower, _| async move { follower.build(&|_| {}).await.map(drop) });
        [telling, building]
    }

    /// Whether there is something to tell the engine, and the engine to tell it to.
    async fn has_work(&self) -> Result<bool, Fault> {
        let database = self.database.schema();
        let whole = self.seen.load(Ordering::Relaxed)
            && !self.owed.load(Ordering::Relaxed)
            && index_state::read(database, index_state::WHOLE).await?.is_some()
            && index_state::read(database, index_state::MISSED).await?.is_none();
        if whole && revision::pending(database, 1).await?.is_empty() {
            return Ok(false);
        }
        // For the stand-in, which needs no engine.
        fill_words(&self.database).await?;
        // While it is away there is nothing to be tried.
        Ok(self.engine.generations().await.is_ok())
    }

    /// Keeps this process's idea of the engine, for ever: whether it answers, and whether it has the index. To be ended by
    /// dropping it.
    pub async fn attend(&self) {
        loop {
            tokio::select! {
                () = self.missed.notified() => {
                    let noted = index_state::write(self.database.schema(), index_state::MISSED, "").await;
                    if let Err(error) = noted {
                        tracing::warn!(%error, "it could not be noted that the search engine lost its index");
                    }
                    self.wake();
                }
                () = tokio::time::sleep(LOOKING) => self.engine.look().await,
            }
        }
    }

    /// Tells the engine of everything that is pending.
    async fn catch_up(&self) -> Result<(), Fault> {
        self.engine.product().await?;
        self.make_sure_of_index().await?;
        self.engine.look().await;
        if self.owed.load(Ordering::Relaxed) {
            self.forget_answers().await;
        }
        let mut told = 0;
        loop {
            let count = self.tell_some().await?;
            told += count;
            if count == 0 && told > 0 {
                // The last batch was a full one, which nobody waited to be findable.
                self.engine.refresh(self.engine.alias()).await?;
                self.forget_answers().await;
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    /// Has shared answers forgotten, once the engine answers otherwise; every order does that, so not too often. Where it
    /// cannot be done now it is done at the next look.
    pub(super) async fn forget_answers(&self) {
        if !self.engine.shares_answers() {
            return;
        }
        let last = *self.forgotten.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = last.is_some_and(|last| last.elapsed() < FORGETTING)
            || self.engine.forget_answers().await.is_err();
        if !owed {
            *self.forgotten.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        self.owed.store(owed, Ordering::Relaxed);
    }

    /// Builds the index where there is none, or one that was not told of everything.
    async fn make_sure_of_index(&self) -> Result<(), Fault> {
        let database = self.database.schema();
        let whole = index_state::read(database, index_state::WHOLE).await?;
        let missed = index_state::read(database, index_state::MISSED).await?.is_some();
        if whole.is_some() && !missed && self.seen.load(Ordering::Relaxed) {
            return Ok(());
        }
        // First: who misses it from now on is heard again.
        index_state::forget(database, &[index_state::MISSED]).await?;
        self.seen.store(false, Ordering::Relaxed);
        let behind = self.engine.generations().await?.into_iter().any(|(_, behind)| behind);
        if whole.is_none() || !behind {
            self.build(&|_| {}).await?;
        }
        self.seen.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Tells the engine of some of what is pending, and says how many that were.
    async fn tell_some(&self) -> Result<u64, Fault> {
        let database = self.database.schema();
        let pending = revision::pending(database, BATCH).await?;
        if pending.is_empty() {
            return Ok(0);
        }
        // After reading what is pending: a build that begins later reads at least as much from the database itself.
        let building = index_state::read(database, index_state::BUILDING).await?;
        let documents = self.documents(pending.iter().map(|row| row.product_id).collect()).await?;
        let count = pending.len() as u64;
        let findable = count < BATCH;
        match self.engine.bulk(Into::Alias, &documents, findable).await {
            Err(error @ EngineError::Refused { status: 404, .. }) => {
                self.seen.store(false, Ordering::Relaxed);
                return Err(error.into());
            }
            told => report(told?.refused),
        }
        if let Some(number) = building.and_then(|number| number.parse().ok()) {
            self.engine.bulk(Into::Index(&self.engine.index(number)), &documents, false).await?;
        }
        if findable {
            self.forget_answers().await;
        }
        revision::told(database, &pending).await?;
        Ok(count)
    }

    /// The documents of products as they are now, with revisions that they are at least as new as.
    pub(super) async fn documents(&self, products: Vec<ProductId>) -> Result<Vec<Versioned>, Fault> {
        let database = self.database.schema();
        // Revisions first: what is read after them may be newer, never older.
        let revisions = revision::of_products(database, products.clone()).await?;
        let found = rows::by_ids(database, products.clone()).await?;
        let mut stocks: HashMap<ProductId, Vec<stock::Model>> = HashMap::new();
        for row in stock::of_products(database, products).await? {
            stocks.entry(row.product_id).or_default().push(row);
        }
        let mut documents = Vec::with_capacity(found.len());
        for row in found {
            let product = row.product_id;
            let mut facets = Facets::default();
            let stocks = stocks.remove(&product).unwrap_or_default();
            documents.extend(entries(&mut facets, vec![row], stocks)?.into_iter().map(|entry| Versioned {
                product,
                revision: revisions.get(&product).copied().unwrap_or(revision::FIRST),
                document: document(&entry, &facets),
            }));
        }
        Ok(documents)
    }
}

/// Whether an engine was told of everything that is committed, and can find it.
pub async fn is_caught_up(database: &Database) -> Result<bool, Fault> {
    let whole = index_state::read(database.schema(), index_state::WHOLE).await?.is_some();
    Ok(whole && revision::pending(database.schema(), 1).await?.is_empty())
}

/// What an index cannot take would come again for ever; it is for people to look at.
pub(super) fn report(refused: Vec<(ProductId, String)>) {
    for (product, reason) in refused {
        tracing::error!(product.id = %product, reason, "the search engine cannot take a product");
    }
}
