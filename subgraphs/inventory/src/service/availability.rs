//! What can be promised, read in one statement for many variants, and remembered: until it changes where memory lasts,
//! else for a moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use auth::ShopContext;
use cache::Cache;
use common::id::{CartLineId, ProductId, ReservationId, StockLocationId, VariantId};
use common::{Fault, Timestamp};

use super::Inventory;
use crate::domain::{Availability, Policy, best};
use crate::entity::stock_item::{self, Counting};
use crate::entity::{reservation, stock_level, stock_location};

/// How long a count is good enough to be shown where others may change it unseen; our own changes are seen at once.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// Products that are counted before anybody asks, and how many at once.
const WARM: usize = 2_000;
const CHUNK: u64 = 500;
/// Counts of products kept, and of variants.
const KEPT: usize = 10_000;
const KEPT_VARIANTS: usize = 50_000;
/// Countries whose counts are kept; there are fewer.
const MOST_COUNTRIES: usize = 300;

/// Something to be counted for a country.
pub type Asked<T> = (T, Arc<str>);

/// What is free of a variant for a country, when it was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The rules for it.
    pub policy: Policy,
    /// What can be promised.
    pub availability: Availability,
    /// When this was so.
    pub as_of: Timestamp,
    /// Until when it is, unless somebody changes it: a reservation expires then.
    until: Option<Timestamp>,
}

/// Counts.
pub(super) struct Memory {
    lasting: bool,
    variants: Cache<Asked<VariantId>, Counted>,
    products: Cache<Asked<ProductId>, Counted>,
    countries: RwLock<BTreeSet<Arc<str>>>,
}

impl Memory {
    pub fn new(memory: &cache::Memory) -> Self {
        Self {
            lasting: memory.is_lasting(),
            variants: memory.cache(KEPT_VARIANTS, GOOD_FOR),
            products: memory.cache(KEPT, GOOD_FOR),
            countries: RwLock::default(),
        }
    }

    /// Forgets the counts of a variant and its product, for every country.
    pub fn forget(&self, variant: VariantId, product: ProductId) {
        for country in self.countries.read().unwrap_or_else(PoisonError::into_inner).iter() {
            self.variants.invalidate(&(variant, Arc::clone(country)));
            self.products.invalidate(&(product, Arc::clone(country)));
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.variants.clear();
        self.products.clear();
    }

    /// The count as it is at `now`, where it is good enough then.
    fn at(&self, now: Timestamp, counted: Counted) -> Option<Counted> {
        let ends_by_itself = counted.until.is_some_and(|until| until <= now);
        let is_good = counted.as_of <= now && !ends_by_itself;
        if let Some(until) = counted.until.filter(|_| is_good) {
            cache::good_until(until);
        }
        match self.lasting {
            // Nothing has changed since.
            true => is_good.then_some(Counted { as_of: now, ..counted }),
            false => (is_good && counted.as_of.plus(GOOD_FOR) > now).then_some(counted),
        }
    }

    /// Whether counts for the country are kept.
    fn keeps(&self, country: &Arc<str>) -> bool {
        if self.countries.read().unwrap_or_else(PoisonError::into_inner).contains(country) {
            return true;
        }
        let mut countries = self.countries.write().unwrap_or_else(PoisonError::into_inner);
        if countries.len() < MOST_COUNTRIES {
            countries.insert(Arc::clone(country));
        }
        countries.contains(country)
    }
}

impl Inventory {
    /// Begins to count the newest products for who says nothing of where they are.
    pub fn warm_up(&self) {
        let (inventory, country) = (self.clone(), Arc::<str>::from(ShopContext::default().country));
        self.ports.warm_up(stock_item::Column::ProductId, WARM, CHUNK, move |ids: Vec<ProductId>| {
            let (inventory, country) = (inventory.clone(), Arc::clone(&country));
            async move {
                let asked = ids.into_iter().map(|id| (id, Arc::clone(&country)));
                inventory.products(asked.collect()).await.map(drop)
            }
        });
    }

    /// Counts variants: from memory, and the others in one statement for each country asked for.
    pub async fn variants(
        &self,
        asked: Vec<Asked<VariantId>>,
    ) -> Result<HashMap<Asked<VariantId>, Counted>, Fault> {
        let cache = &self.memory.variants;
        let read = |ids, country: Arc<str>, now| async move {
            let db = self.ports.database.read_since(cache.changed());
            let rows = stock_item::count(db, Counting::Variants(ids), &country, now).await?;
            Ok(rows.into_iter().map(|row| (row.variant_id, counted(&row, now))).collect())
        };
        self.through(cache, asked, read).await
    }

    /// Counts products, each by its best variant: from memory, and the others in one statement for each country asked
    /// for.
    pub async fn products(
        &self,
        asked: Vec<Asked<ProductId>>,
    ) -> Result<HashMap<Asked<ProductId>, Counted>, Fault> {
        let (cache, variants) = (&self.memory.products, &self.memory.variants);
        let of_variants = variants.epoch();
        let read = |ids, country: Arc<str>, now| async move {
            let db = self.ports.database.read_since(cache.changed());
            let rows = stock_item::count(db, Counting::Products(ids), &country, now).await?;
            let mut grouped: BTreeMap<ProductId, Vec<Counted>> = BTreeMap::new();
            for row in rows {
                let counted = counted(&row, now);
                if self.memory.keeps(&country) {
                    variants.insert(of_variants, (row.variant_id, Arc::clone(&country)), counted.clone());
                }
                grouped.entry(row.product_id).or_default().push(counted);
            }
            Ok(grouped.into_iter().filter_map(|(product, all)| Some((product, best_of(&all)?))).collect())
        };
        self.through(cache, asked, read).await
    }

    /// The count of a variant, where one is remembered and good enough.
    pub fn known_variant(&self, asked: &Asked<VariantId>) -> Option<Counted> {
        self.memory.at(self.ports.clock.now(), self.memory.variants.get(asked)?)
    }

    /// The count of a product, where one is remembered and good enough.
    pub fn known_product(&self, asked: &Asked<ProductId>) -> Option<Counted> {
        self.memory.at(self.ports.clock.now(), self.memory.products.get(asked)?)
    }

    /// Counts one variant now, whatever is remembered.
    pub async fn variant_now(&self, id: VariantId, country: &str) -> Result<Option<Counted>, Fault> {
        let now = self.ports.clock.now();
        let db = self.ports.database.newest();
        let rows = stock_item::count(db, Counting::Variants(vec![id]), country, now).await?;
        Ok(rows.first().map(|row| counted(row, now)))
    }

    async fn through<I, F, Fut>(
        &self,
        cache: &Cache<Asked<I>, Counted>,
        asked: Vec<Asked<I>>,
        read: F,
    ) -> Result<HashMap<Asked<I>, Counted>, Fault>
    where
        I: Copy + Ord + std::hash::Hash + Send + Sync + 'static,
        F: Fn(Vec<I>, Arc<str>, Timestamp) -> Fut,
        Fut: Future<Output = Result<Vec<(I, Counted)>, Fault>>,
    {
        let (epoch, now) = (cache.epoch(), self.ports.clock.now());
        let mut found = HashMap::with_capacity(asked.len());
        let mut missing: BTreeMap<Arc<str>, Vec<I>> = BTreeMap::new();
        for key in asked {
            match cache.get(&key).and_then(|known| self.memory.at(now, known)) {
                Some(known) => drop(found.insert(key, known)),
                None => missing.entry(key.1).or_default().push(key.0),
            }
        }
        for (country, ids) in missing {
            let keep = self.memory.keeps(&country);
            for (id, counted) in read(ids, Arc::clone(&country), now).await? {
                let key = (id, Arc::clone(&country));
                if keep {
                    cache.insert(epoch, key.clone(), counted.clone());
                }
                found.insert(key, counted);
            }
        }
        Ok(found)
    }

    /// The levels of variants, in one statement.
    pub async fn levels(
        &self,
        variants: Vec<VariantId>,
    ) -> Result<HashMap<VariantId, Vec<stock_level::Model>>, Fault> {
        let mut grouped: HashMap<VariantId, Vec<stock_level::Model>> = HashMap::new();
        for level in stock_level::of_variants(self.ports.database.read(), variants).await? {
            grouped.entry(level.variant_id).or_default().push(level);
        }
        Ok(grouped)
    }

    /// All locations.
    pub async fn locations(&self) -> Result<Vec<stock_location::Model>, Fault> {
        Ok(stock_location::all(self.ports.database.read()).await?)
    }

    /// Locations by id, in one statement.
    pub async fn locations_by_id(
        &self,
        ids: Vec<StockLocationId>,
    ) -> Result<HashMap<StockLocationId, stock_location::Model>, Fault> {
        let rows = stock_location::by_ids(self.ports.database.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// What is set aside for lines of carts and was not given back, in one statement, as it is now. A line that several
    /// locations serve counts as one reservation: the first one's, of all their goods.
    pub async fn reservations_of_lines(
        &self,
        lines: Vec<CartLineId>,
    ) -> Result<HashMap<CartLineId, reservation::Model>, Fault> {
        let now = self.ports.clock.now();
        let mut found: HashMap<CartLineId, reservation::Model> = HashMap::new();
        for mut row in reservation::of_lines(self.ports.database.read(), lines).await? {
            let Some(line) = row.cart_line_id else { continue };
            row.state = row.state.at(row.expires_at, now);
            match found.get_mut(&line) {
                Some(first) if first.order_id == row.order_id => first.quantity += row.quantity,
                // A later order of the same cart.
                _ => drop(found.insert(line, row)),
            }
        }
        Ok(found)
    }

    /// Reservations by id, in one statement, in the state that they have now.
    pub async fn reservations(
        &self,
        ids: Vec<ReservationId>,
    ) -> Result<HashMap<ReservationId, reservation::Model>, Fault> {
        let now = self.ports.clock.now();
        let rows = reservation::by_ids(self.ports.database.read(), ids).await?;
        let as_now = |mut row: reservation::Model| {
            row.state = row.state.at(row.expires_at, now);
            (row.id, row)
        };
        Ok(rows.into_iter().map(as_now).collect())
    }
}

fn counted(row: &stock_item::Counted, as_of: Timestamp) -> Counted {
    let policy = row.policy();
    // What has expired, and is not given back, may yet be committed by somebody who looked at the clock before.
    let until = |expiry| if expiry > as_of { expiry } else { as_of.plus(GOOD_FOR) };
    let until = row.first_expiry.map(until);
    Counted { policy, availability: policy.availability(row.free), as_of, until }
}

/// The best of a product's variants, which it is until the first of all changes by itself.
fn best_of(all: &[Counted]) -> Option<Counted> {
    let best = best(all.iter().map(|counted| counted.availability))?;
    let until = all.iter().filter_map(|counted| counted.until).min();
    all.iter().find(|counted| counted.availability == best).map(|best| Counted { until, ..best.clone() })
}
