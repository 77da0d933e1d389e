//! The picture in memory, kept as new as the database, and what is found in it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cache::{Cache, Epoch};
use common::id::{CategoryId, ProductId, SearchRunId};
use common::{Currency, Fault, PageArgs};
use events::products::ProductSnapshot;
use jobs::Job;
use subgraph::{Ports, SearchUrl};
use tokio::sync::OnceCell;

use super::engine::Engine;
use super::follower::Follower;
use super::text_index::{Matches, TextIndex};
use crate::domain::{
    Asked, Entry, FacetFilter, Facets, Found, Intent, Picture, PriceFilter, Sort, find, recommend,
    recommend_from, tokens,
};
use crate::entity::{co_purchase, document, index_state, stock, view};

/// Products bought together that are remembered for each.
const MOST_TOGETHER: usize = 24;
/// Answers that are remembered, a few kilobytes each, and for how long at the most.
const ANSWERS: usize = 1_000;
const ANSWER_AGE: Duration = Duration::from_secs(600);
/// The longest text that is searched for, in characters.
const LONGEST_TEXT: usize = 200;

/// The use cases of search. Cheap to clone.
#[derive(Clone)]
pub struct Finder {
    pub(crate) ports: Ports,
    inner: Arc<Inner>,
}

struct Inner {
    index: Index,
    loaded: OnceCell<()>,
    picture: RwLock<Arc<Picture>>,
    text: RwLock<Option<TextIndex>>,
    /// Products that the database knows more of than the picture.
    changed: Mutex<HashSet<ProductId>>,
    refreshing: tokio::sync::Mutex<()>,
    /// Of the picture, and of what it lacks.
    epoch: Epoch,
    /// What was found in the picture.
    answers: Cache<Asking, Arc<Answer>>,
}

/// Where texts are searched.
enum Index {
    /// In the picture, and in a text index over it.
    Embedded,
    /// On an engine.
    Engine(Arc<Follower>),
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchRequest {
    /// What is looked for; nothing for everything.
    pub text: Option<String>,
    /// Facets that must match.
    pub facets: Vec<FacetFilter>,
    /// Whether values of facets are counted.
    pub counted: bool,
    /// Bounds of the price.
    pub price: PriceFilter,
    /// Only what can be bought now.
    pub in_stock_only: bool,
    /// Only what stands here or below.
    pub category: Option<CategoryId>,
    /// Order.
    pub sort: Sort,
    /// Which page.
    pub page: PageArgs,
}

/// A search, and where: all that an answer depends on beside the picture.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Asking {
    request: SearchRequest,
    channel: String,
    currency: Currency,
}

/// What is answered.
pub struct Answer {
    /// What was found.
    pub found: Found,
    /// The words that were looked for in the end.
    pub words: Vec<String>,
    /// The text that was looked for in place of what was typed.
    pub corrected: Option<String>,
    /// What the numbers of its facets mean.
    pub facets: Arc<Facets>,
    /// Whether it comes from the database, because the engine is away.
    pub degraded: bool,
}

/// What somebody may mean.
pub struct Suggestions {
    /// Categories first, then products, the best match first.
    pub suggested: Vec<Suggested>,
    /// Whether they come from the database, because the engine is away.
    pub degraded: bool,
}

/// A suggestion while somebody types.
pub enum Suggested {
    /// A category.
    Category(CategoryId, String),
    /// A product.
    Product(Arc<Entry>),
}

impl Asking {
    /// The text, where there is any.
    pub(super) fn text(&self) -> Option<&str> {
        self.request.text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// What is asked, given what matches the text.
    pub(super) fn asked<'a>(&'a self, scores: Option<&'a HashMap<ProductId, f32>>) -> Asked<'a> {
        let request = &self.request;
        Asked {
            scores,
            facets: &request.facets,
            counted: request.counted,
            price: request.price,
            in_stock_only: request.in_stock_only,
            category: request.category,
            sort: request.sort,
            page: &request.page,
            channel: &self.channel,
            currency: self.currency,
        }
    }
}

/// Products that are being read again. Where that fails, or where whoever waited for it has gone away, they are left for
/// the next.
struct Taken<'f> {
    finder: &'f Finder,
    ids: HashSet<ProductId>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            self.finder.changed(self.ids.drain().collect());
        }
    }
}

impl Finder {
    /// A finder over the database of `ports`, with nothing in memory yet.
    pub fn new(ports: &Ports) -> Self {
        let index = match &ports.search {
            SearchUrl::Embedded => Index::Embedded,
            SearchUrl::Engine(url) => {
                Index::Engine(Arc::new(Follower::new(Engine::new(url, ports.redis.as_ref()), ports)))
            }
        };
        let inner = Inner {
            index,
            loaded: OnceCell::new(),
            picture: RwLock::default(),
            text: RwLock::new(None),
            changed: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
            epoch: Epoch::default(),
            answers: Cache::new(ANSWERS, ANSWER_AGE),
        };
        Self { ports: ports.clone(), inner: Arc::new(inner) }
    }

    /// Begins to read everything, so that the first search need not wait for it.
    pub fn warm_up(&self) {
        let finder = self.clone();
        self.ports.tasks.spawn("search warm-up", async move {
            if let Err(fault) = finder.picture().await {
                tracing::warn!(reason = fault.chain(), "search is not warm yet");
            }
        });
        let finder = self.clone();
        let stopping = self.ports.tasks.stopping();
        self.ports.tasks.spawn("search index", async move {
            tokio::select! {
                () = stopping => {}
                () = finder.keep_index() => {}
            }
        });
    }

    /// Keeps this process's idea of an engine. Without one there is only to note that none is kept as new as the database.
    async fn keep_index(&self) {
        match &self.inner.index {
            Index::Engine(follower) => follower.attend().await,
            Index::Embedded => {
                if let Err(fault) = self.leave_engine().await {
                    tracing::warn!(
                        reason = fault.chain(),
                        "it could not be noted that no search engine is told"
                    );
                }
            }
        }
    }

    /// The jobs that keep an engine as new as the database, where there is one.
    pub fn jobs(&self) -> Vec<Job> {
        match &self.inner.index {
            Index::Embedded => Vec::new(),
            Index::Engine(follower) => follower.jobs().into(),
        }
    }

    async fn leave_engine(&self) -> Result<(), Fault> {
        let database = &self.ports.database;
        if index_state::any(database.read(), &index_state::OUTDATED).await? {
            index_state::forget(database.schema(), &index_state::OUTDATED).await?;
        }
        Ok(())
    }

    /// What follows the database, where texts are searched on an engine.
    pub fn follower(&self) -> Option<&Follower> {
        match &self.inner.index {
            Index::Embedded => None,
            Index::Engine(follower) => {
                cache::rely_on_others();
                Some(follower)
            }
        }
    }

    /// Says that the database knows more of these products. Called after the commit.
    pub fn changed(&self, products: Vec<ProductId>) {
        self.inner.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(products);
        self.inner.epoch.end();
        if let Some(follower) = self.follower() {
            follower.wake();
        }
    }

    /// The picture, with everything that was committed before this call.
    pub async fn picture(&self) -> Result<Arc<Picture>, Fault> {
        self.inner.epoch.rely();
        self.inner.loaded.get_or_try_init(|| self.load()).await?;
        // Somebody who is at it has taken what changed, and has not shown it yet.
        let refreshing = self.inner.refreshing.try_lock().is_err();
        if refreshing || !self.inner.changed.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.refresh().await?;
        }
        Ok(Arc::clone(&self.inner.picture.read().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn load(&self) -> Result<(), Fault> {
        let db = self.ports.database.newest();
        let (documents, stocks) = (document::all(db).await?, stock::all(db).await?);
        let together = co_purchase::all(db).await?;
        let mut facets = Facets::default();
        let entries = entries(&mut facets, documents, stocks)?;
        let entries: HashMap<ProductId, Arc<Entry>> =
            entries.into_iter().map(|entry| (entry.product.id, Arc::new(entry))).collect();
        let text = match self.follower() {
            None => Some(TextIndex::build(entries.values().map(|entry| &**entry))?),
            Some(_) => None,
        };
        let picture = Picture::new(entries, ranked(together), Arc::new(facets));
        *self.inner.text.write().unwrap_or_else(PoisonError::into_inner) = text;
        *self.inner.picture.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(picture);
        Ok(())
    }

    /// Reads again what changed. One at a time; what changes meanwhile is left for the next.
    async fn refresh(&self) -> Result<(), Fault> {
        let _one = self.inner.refreshing.lock().await;
        let ids = std::mem::take(&mut *self.inner.changed.lock().unwrap_or_else(PoisonError::into_inner));
        if ids.is_empty() {
            return Ok(());
        }
        let mut taken = Taken { finder: self, ids };
        self.reread(taken.ids.iter().copied().collect()).await?;
        taken.ids.clear();
        Ok(())
    }

    async fn reread(&self, ids: Vec<ProductId>) -> Result<(), Fault> {
        let db = self.ports.database.newest();
        let documents = document::by_ids(db, ids.clone()).await?;
        let stocks = stock::of_products(db, ids.clone()).await?;
        let together = ranked(co_purchase::of_products(db, ids).await?);
        let old = Arc::clone(&self.inner.picture.read().unwrap_or_else(PoisonError::into_inner));
        let mut facets = Facets::clone(&old.facets);
        let fresh: Vec<Arc<Entry>> =
            entries(&mut facets, documents, stocks)?.into_iter().map(Arc::new).collect();
        let reworded: Vec<&Entry> = fresh
            .iter()
            .filter(|entry| {
                let known = old.entries.get(&entry.product.id);
                known.is_none_or(|known| known.product.version != entry.product.version)
            })
            .map(|entry| &**entry)
            .collect();
        if !reworded.is_empty()
            && let Some(text) = &mut *self.inner.text.write().unwrap_or_else(PoisonError::into_inner)
        {
            text.update(reworded.into_iter())?;
        }
        let mut entries = old.entries.clone();
        entries.extend(fresh.into_iter().map(|entry| (entry.product.id, entry)));
        let mut all_together = old.together.clone();
        all_together.extend(together);
        let picture = Arc::new(Picture::new(entries, all_together, Arc::new(facets)));
        *self.inner.picture.write().unwrap_or_else(PoisonError::into_inner) = picture;
        // They would hold on to the picture before.
        self.inner.answers.clear();
        self.inner.epoch.end();
        Ok(())
    }

    fn matches(&self, text: &str) -> Result<Matches, Fault> {
        match &*self.inner.text.read().unwrap_or_else(PoisonError::into_inner) {
            Some(index) => index.search(text),
            None => Ok(Matches::default()),
        }
    }

    /// Searches.
    pub async fn search(
        &self,
        request: SearchRequest,
        context: &auth::ShopContext,
    ) -> Result<(SearchRunId, Arc<Answer>), Fault> {
        let id = self.ports.ids.next();
        let asking = Asking { request, channel: context.channel.clone(), currency: context.currency };
        if asking.text().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            return Err(Fault::bad_input(format!("A search has at most {LONGEST_TEXT} characters.")));
        }
        if let Some(follower) = self.follower() {
            return Ok((id, Arc::new(self.search_remote(follower, &asking).await?)));
        }
        let epoch = self.inner.answers.epoch();
        let picture = self.picture().await?;
        let known = self.inner.answers.get(&asking);
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.facets, &picture.facets)) {
            return Ok((id, known));
        }
        let answer = Arc::new(self.find_in(picture, &asking)?);
        self.inner.answers.insert(epoch, asking, Arc::clone(&answer));
        Ok((id, answer))
    }

    fn find_in(&self, picture: Arc<Picture>, asking: &Asking) -> Result<Answer, Fault> {
        let text = asking.text();
        let matches = text.map(|text| self.matches(text)).transpose()?;
        let asked = asking.asked(matches.as_ref().map(|matches| &matches.scores));
        let found = find(&picture, &asked)?;
        let corrected = matches.and_then(|matches| matches.corrected);
        Ok(Answer {
            found,
            words: corrected.clone().unwrap_or_else(|| text.map(tokens).unwrap_or_default()),
            corrected: corrected.map(|words| words.join(" ")),
            facets: Arc::clone(&picture.facets),
            degraded: false,
        })
    }

    /// What somebody may mean who has typed this much: categories first, then products, the best match first.
    pub async fn suggest(
        &self,
        text: &str,
        count: usize,
        context: &auth::ShopContext,
    ) -> Result<Suggestions, Fault> {
        let text: String = text.trim().chars().take(LONGEST_TEXT).collect();
        if let Some(follower) = self.follower() {
            return self.suggest_remote(follower, &text, count, context).await;
        }
        let picture = self.picture().await?;
        let scores = self.matches(&text)?.scores;
        let suggested = self.suggest_from(&picture, &text, &scores, count, context);
        Ok(Suggestions { suggested, degraded: false })
    }

    /// Suggestions from the picture, given what matches the text.
    pub(super) fn suggest_from(
        &self,
        picture: &Picture,
        text: &str,
        scores: &HashMap<ProductId, f32>,
        count: usize,
        context: &auth::ShopContext,
    ) -> Vec<Suggested> {
        let Some(typed) = tokens(text).pop() else { return Vec::new() };
        let meant = |name: &str| tokens(name).iter().any(|word| word.starts_with(&typed));
        let categories = picture.categories.iter().filter(|(_, name)| meant(name));
        let mut suggested: Vec<Suggested> =
            categories.map(|(id, name)| Suggested::Category(*id, name.clone())).collect();
        let mut products: Vec<(&Arc<Entry>, f32)> = scores
            .iter()
            .filter_map(|(id, score)| Some((picture.entries.get(id)?, *score)))
            .filter(|(entry, _)| entry.is_visible_in(&context.channel))
            .collect();
        products.sort_by(|(one, own), (other, others)| {
            others.total_cmp(own).then_with(|| one.product.id.cmp(&other.product.id))
        });
        suggested.extend(products.into_iter().map(|(entry, _)| Suggested::Product(Arc::clone(entry))));
        suggested.truncate(count);
        suggested
    }

    /// Products that go with one.
    pub async fn recommend(
        &self,
        product: ProductId,
        intent: Intent,
        count: usize,
        context: &auth::ShopContext,
    ) -> Result<Vec<ProductId>, Fault> {
        Ok(recommend(&*self.picture().await?, product, intent, count, &context.channel))
    }

    /// Products that go with several, such as what is in a cart, and none of those.
    pub async fn recommend_beside(
        &self,
        products: &[ProductId],
        count: usize,
        context: &auth::ShopContext,
    ) -> Result<Vec<ProductId>, Fault> {
        Ok(recommend_from(&*self.picture().await?, products, count, &context.channel))
    }

    /// What a user looked at last. Only for the user's own eyes.
    pub async fn recently_viewed(
        &self,
        user: common::id::UserId,
        count: usize,
    ) -> Result<Vec<ProductId>, Fault> {
        Ok(view::latest(self.ports.database.read(), user, count as u64).await?)
    }

    /// Products that go with what a user looked at, or, for nobody in particular, what sells.
    pub async fn recommend_to(
        &self,
        user: Option<common::id::UserId>,
        count: usize,
        context: &auth::ShopContext,
    ) -> Result<Vec<ProductId>, Fault> {
        let seen = match user {
            Some(user) => self.recently_viewed(user, 20).await?,
            None => Vec::new(),
        };
        Ok(recommend_from(&*self.picture().await?, &seen, count, &context.channel))
    }
}

pub(super) fn entries(
    facets: &mut Facets,
    documents: Vec<document::Model>,
    stocks: Vec<stock::Model>,
) -> Result<Vec<Entry>, Fault> {
    let mut available: HashMap<ProductId, HashSet<common::id::VariantId>> = HashMap::new();
    for row in stocks.into_iter().filter(|row| row.available) {
        available.entry(row.product_id).or_default().insert(row.variant_id);
    }
    documents
        .into_iter()
        .map(|row| {
            let mut product: ProductSnapshot = serde_json::from_str(&row.product).map_err(Fault::internal)?;
            product.rating_count = row.rating_count;
            let available = available.remove(&row.product_id).unwrap_or_default();
            Ok(Entry::new(facets, product, available, row.average_hundredths, row.units_sold))
        })
        .collect()
}

fn ranked(rows: Vec<co_purchase::Model>) -> HashMap<ProductId, Arc<[ProductId]>> {
    let mut grouped: HashMap<ProductId, Vec<(std::cmp::Reverse<i64>, ProductId)>> = HashMap::new();
    for row in rows {
        grouped.entry(row.product_id).or_default().push((std::cmp::Reverse(row.times), row.other_id));
    }
    let ranked = grouped.into_iter().map(|(product, mut others)| {
        others.sort_unstable();
        (product, others.into_iter().map(|(_, other)| other).take(MOST_TOGETHER).collect())
    });
    ranked.collect()
}
