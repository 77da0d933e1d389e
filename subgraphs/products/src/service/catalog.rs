//! What the catalogue reads, and the memory it keeps of it: a page is read far more often than a product changes.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, Cached};
use common::id::{ChannelId, ProductId, ReviewId, VariantId};
use common::{Currency, Fault, PageArgs, Timestamp};
use subgraph::Ports;

use crate::domain::{Categories, Channel, Product, Variant};
use crate::entity::{category, channel, product, review, variant};

/// How long another process's change may go unseen where nobody tells of it; this one's changes are seen at once.
const AGE: Duration = Duration::from_secs(30);
/// Products kept in memory, and variants.
const KEPT: usize = 10_000;
const KEPT_VARIANTS: usize = 50_000;
/// Newest reviews of a product that are kept: a page of ten, and whether there are more.
const NEWEST: u64 = 11;
/// Products that are read before anybody asks, and how many at once.
const WARM: usize = 2_000;
const CHUNK: u64 = 500;

/// The catalogue's use cases. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) ports: Ports,
    memory: Arc<Memory>,
}

struct Memory {
    products: Cache<ProductId, Arc<Product>>,
    slugs: Cache<String, ProductId>,
    variants: Cache<VariantId, Arc<Variant>>,
    of_product: Cache<ProductId, Arc<[Arc<Variant>]>>,
    newest_reviews: Cache<ProductId, Arc<[review::Model]>>,
    categories: Cached<Categories>,
    channels: Cached<Vec<Channel>>,
}

impl Catalog {
    /// The catalogue in the database of `ports`.
    pub fn new(ports: &Ports) -> Self {
        let memory = Memory {
            products: ports.memory.cache(KEPT, AGE),
            slugs: ports.memory.cache(KEPT, AGE),
            variants: ports.memory.cache(KEPT_VARIANTS, AGE),
            of_product: ports.memory.cache(KEPT, AGE),
            newest_reviews: ports.memory.cache(KEPT, AGE),
            categories: Cached::new(AGE),
            channels: Cached::new(AGE),
        };
        Self { ports: ports.clone(), memory: Arc::new(memory) }
    }

    /// Begins to read the newest of the catalogue.
    pub fn warm_up(&self) {
        let catalog = self.clone();
        self.ports.warm_up(product::Column::Id, WARM, CHUNK, move |ids: Vec<ProductId>| {
            let catalog = catalog.clone();
            async move {
                catalog.products(ids.clone()).await?;
                catalog.variants_of(ids.clone()).await?;
                catalog.newest_reviews(ids.into_iter().map(|id| (id, NEWEST)).collect()).await?;
                Ok(())
            }
        });
    }

    /// The tree of categories.
    pub async fn categories(&self) -> Result<Arc<Categories>, Fault> {
        let read = async |changed| {
            let rows = category::all(self.ports.database.read_since(changed)).await?;
            Ok::<_, Fault>(Categories::new(rows))
        };
        self.memory.categories.get_or_load(read).await
    }

    /// The channel with this code.
    pub async fn channel(&self, code: &str) -> Result<Channel, Fault> {
        let channels = self.channels().await?;
        let found = channels.iter().find(|channel| channel.code == code).cloned();
        found.ok_or_else(|| Fault::bad_input(format!("There is no channel '{code}'.")))
    }

    /// The channel with this id.
    pub async fn channel_by_id(&self, id: ChannelId) -> Result<Option<Channel>, Fault> {
        Ok(self.channels().await?.iter().find(|channel| channel.id == id).cloned())
    }

    /// The currencies that some channel sells in.
    pub async fn currencies(&self) -> Result<Vec<Currency>, Fault> {
        let channels = self.channels().await?;
        Ok(channels.iter().flat_map(|channel| channel.currencies.iter().copied()).collect())
    }

    async fn channels(&self) -> Result<Arc<Vec<Channel>>, Fault> {
        let read = async |changed| {
            let rows = channel::all(self.ports.database.read_since(changed)).await?;
            rows.into_iter().map(Channel::try_from).collect::<Result<Vec<_>, Fault>>()
        };
        self.memory.channels.get_or_load(read).await
    }

    /// The product, where it is in memory.
    pub fn known_product(&self, id: &ProductId) -> Option<Arc<Product>> {
        self.memory.products.get(id)
    }

    /// The product with this slug, where it is in memory.
    pub fn known_by_slug(&self, slug: &String) -> Option<Arc<Product>> {
        self.memory.slugs.get(slug).and_then(|id| self.known_product(&id))
    }

    /// The variant, where it is in memory.
    pub fn known_variant(&self, id: &VariantId) -> Option<Arc<Variant>> {
        self.memory.variants.get(id)
    }

    /// The variants of a product, where they are in memory.
    pub fn known_variants_of(&self, product: &ProductId) -> Option<Arc<[Arc<Variant>]>> {
        self.memory.of_product.get(product)
    }

    /// So many of the newest reviews of a product or more, where they are in memory.
    pub fn known_reviews(&self, (product, limit): &(ProductId, u64)) -> Option<Arc<[review::Model]>> {
        if *limit <= NEWEST { self.memory.newest_reviews.get(product) } else { None }
    }

    /// Products by id: from memory, and the others in one statement.
    pub async fn products(&self, ids: Vec<ProductId>) -> Result<HashMap<ProductId, Arc<Product>>, Fault> {
        let slugs = &self.memory.slugs;
        let of_slugs = slugs.epoch();
        let read = |missing| async move {
            let rows =
                product::by_ids(self.ports.database.read_since(self.memory.products.changed()), missing)
                    .await?;
            let read = rows.into_iter().map(|row| {
                let product = Product::try_from(row)?;
                slugs.insert(of_slugs, product.slug.clone(), product.id);
                Ok((product.id, Arc::new(product)))
            });
            read.collect::<Result<Vec<_>, Fault>>()
        };
        through(&self.memory.products, ids, read).await
    }

    /// Products by slug: which product has it comes from memory, and the others from one statement.
    pub async fn products_by_slug(&self, slugs: Vec<String>) -> Result<HashMap<String, Arc<Product>>, Fault> {
        let memory = &self.memory;
        let (mut known, mut missing) = (HashMap::new(), Vec::new());
        for slug in slugs {
            match memory.slugs.get(&slug) {
                Some(id) => drop(known.insert(slug, id)),
                None => missing.push(slug),
            }
        }
        let mut found = HashMap::new();
        if !missing.is_empty() {
            let (of_products, of_slugs) = (memory.products.epoch(), memory.slugs.epoch());
            let db = self.ports.database.read_since(memory.products.changed());
            for row in product::by_slugs(db, missing).await? {
                let product = Arc::new(Product::try_from(row)?);
                memory.products.insert(of_products, product.id, Arc::clone(&product));
                memory.slugs.insert(of_slugs, product.slug.clone(), product.id);
                found.insert(product.slug.clone(), product);
            }
        }
        if !known.is_empty() {
            let products = self.products(known.values().copied().collect()).await?;
            found.extend(
                known.into_iter().filter_map(|(slug, id)| Some((slug, Arc::clone(products.get(&id)?)))),
            );
        }
        Ok(found)
    }

    /// Variants by id: from memory, and the others in one statement.
    pub async fn variants(&self, ids: Vec<VariantId>) -> Result<HashMap<VariantId, Arc<Variant>>, Fault> {
        let read = |missing| async move {
            let rows =
                variant::by_ids(self.ports.database.read_since(self.memory.variants.changed()), missing)
                    .await?;
            rows.into_iter()
                .map(|row| Variant::try_from(row).map(|variant| (variant.id, Arc::new(variant))))
                .collect::<Result<Vec<_>, Fault>>()
        };
        through(&self.memory.variants, ids, read).await
    }

    /// Variants by stock keeping unit, in one statement.
    pub async fn variants_by_sku(&self, skus: Vec<String>) -> Result<HashMap<String, Arc<Variant>>, Fault> {
        let rows = variant::by_skus(self.ports.database.read(), skus).await?;
        rows.into_iter()
            .map(|row| Variant::try_from(row).map(|variant| (variant.sku.clone(), Arc::new(variant))))
            .collect()
    }

    /// All variants of products, in the order in which they are shown: from memory, and the others in one statement.
    pub async fn variants_of(
        &self,
        products: Vec<ProductId>,
    ) -> Result<HashMap<ProductId, Arc<[Arc<Variant>]>>, Fault> {
        let variants = &self.memory.variants;
        let of_variants = variants.epoch();
        let read = |missing: Vec<ProductId>| async move {
            let rows = variant::of_products(
                self.ports.database.read_since(self.memory.of_product.changed()),
                missing,
            )
            .await?;
            let mut grouped: HashMap<ProductId, Vec<Arc<Variant>>> = HashMap::new();
            for row in rows {
                let variant = Arc::new(Variant::try_from(row)?);
                variants.insert(of_variants, variant.id, Arc::clone(&variant));
                grouped.entry(variant.product_id).or_default().push(variant);
            }
            Ok(grouped.into_iter().map(|(product, variants)| (product, variants.into())).collect())
        };
        through(&self.memory.of_product, products, read).await
    }

    /// Reviews by id, in one statement.
    pub async fn reviews(&self, ids: Vec<ReviewId>) -> Result<HashMap<ReviewId, review::Model>, Fault> {
        let rows = review::by_ids(self.ports.database.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The newest reviews of products, as many as each key says or more: from memory, and the others in one statement; of
    /// longer pages, in one for each length asked for, of which a document has few.
    pub async fn newest_reviews(
        &self,
        keys: Vec<(ProductId, u64)>,
    ) -> Result<HashMap<(ProductId, u64), Arc<[review::Model]>>, Fault> {
        let mut by_limit: BTreeMap<u64, Vec<ProductId>> = BTreeMap::new();
        for (product, limit) in &keys {
            by_limit.entry(NEWEST.max(*limit)).or_default().push(*product);
        }
        let mut found = HashMap::with_capacity(keys.len());
        for (limit, mut products) in by_limit {
            products.sort_unstable();
            products.dedup();
            let read = |missing| self.read_newest_reviews(missing, limit);
            let reviews = match limit {
                NEWEST => through(&self.memory.newest_reviews, products, read).await?,
                _ => read(products).await?.into_iter().collect(),
            };
            let asked = keys.iter().filter(|key| NEWEST.max(key.1) == limit);
            found.extend(asked.filter_map(|key| Some((*key, Arc::clone(reviews.get(&key.0)?)))));
        }
        Ok(found)
    }

    async fn read_newest_reviews(
        &self,
        products: Vec<ProductId>,
        limit: u64,
    ) -> Result<Vec<(ProductId, Arc<[review::Model]>)>, Fault> {
        let mut grouped: BTreeMap<ProductId, Vec<review::Model>> =
            products.iter().map(|product| (*product, Vec::new())).collect();
        let db = self.ports.database.read_since(self.memory.newest_reviews.changed());
        for row in review::newest(db, products, limit).await? {
            grouped.entry(row.product_id).or_default().push(row);
        }
        Ok(grouped.into_iter().map(|(product, reviews)| (product, reviews.into())).collect())
    }

    /// The reviews of a product after a place in the order newest first.
    pub async fn older_reviews(
        &self,
        product: ProductId,
        after: (Timestamp, ReviewId),
        page: &PageArgs,
    ) -> Result<Vec<review::Model>, Fault> {
        Ok(review::older_than(self.ports.database.read(), product, after, page.limit()).await?)
    }

    /// The active products of a category and those below it, newest first.
    pub async fn products_of_category(
        &self,
        id: common::id::CategoryId,
        page: &PageArgs,
    ) -> Result<Vec<Arc<Product>>, Fault> {
        let after = match &page.after {
            Some(cursor) => Some((Timestamp(cursor.key(0, 2)?), cursor.key(1, 2)?)),
            None => None,
        };
        let categories = self.categories().await?.with_descendants(id);
        let rows =
            product::in_categories(self.ports.database.read(), categories, after, page.limit()).await?;
        rows.into_iter().map(|row| Product::try_from(row).map(Arc::new)).collect()
    }

    /// Forgets what is known of a product and of these variants of it, after a commit that changed them.
    pub(crate) fn forget(&self, id: ProductId, slugs: &[String], variants: &[VariantId]) {
        self.memory.products.invalidate(&id);
        self.memory.of_product.invalidate(&id);
        self.memory.newest_reviews.invalidate(&id);
        for slug in slugs {
            self.memory.slugs.invalidate(slug);
        }
        for variant in variants {
            self.memory.variants.invalidate(variant);
        }
    }
}

/// Looks keys up in a cache and reads the missing ones together.
async fn through<K, V, F, Fut>(cache: &Cache<K, V>, keys: Vec<K>, read: F) -> Result<HashMap<K, V>, Fault>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    F: FnOnce(Vec<K>) -> Fut,
    Fut: Future<Output = Result<Vec<(K, V)>, Fault>>,
{
    let epoch = cache.epoch();
    let mut found = HashMap::with_capacity(keys.len());
    let mut missing = Vec::new();
    for key in keys {
        match cache.get(&key) {
            Some(value) => drop(found.insert(key, value)),
            None => missing.push(key),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    for (key, value) in read(missing).await? {
        cache.insert(epoch, key.clone(), value.clone());
        found.insert(key, value);
    }
    Ok(found)
}
