//! Use cases: each a transaction. All change stock through [`LockedStock`], in one order of locks: the order's hold,
//! then levels by their keys, then reservations.

mod adjust;
mod availability;
mod catalogue;
mod locked_stock;
mod reserve;
mod settle;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use cache::Cached;
use common::Fault;
use common::id::{ProductId, VariantId};
use subgraph::{Live, News, Ports};

pub use adjust::Adjustment;
pub use availability::{Asked, Counted};
pub use catalogue::note_product;
pub use settle::{release_in, ship_in};
pub use sweep::job as sweep_job;

use availability::Memory;
use locked_stock::LockedStock;

use crate::entity::stock_location;

/// How long a new location may go unseen.
const AGE: Duration = Duration::from_secs(60);

/// The use cases of stock. Cheap to clone; clones share what they remember and who watches.
#[derive(Clone)]
pub struct Inventory {
    ports: Ports,
    memory: Arc<Memory>,
    locations: Arc<Cached<Vec<stock_location::Model>>>,
    live: Live<VariantId>,
}

impl Inventory {
    /// The stock in the database of `ports`.
    pub fn new(ports: &Ports) -> Self {
        Self {
            ports: ports.clone(),
            memory: Arc::new(Memory::new(&ports.memory)),
            locations: Arc::new(Cached::new(AGE)),
            live: Live::new(),
        }
    }

    /// What the use cases stand on.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Where stock lies, from memory where it was read a moment ago. To be called before a transaction is begun, never
    /// within one.
    async fn known_locations(&self) -> Result<Arc<Vec<stock_location::Model>>, Fault> {
        let read = async |changed| {
            let db = self.ports.database.read_since(changed);
            stock_location::all(db).await.map_err(Fault::from)
        };
        self.locations.get_or_load(read).await
    }

    /// Watches variants: yields each whose availability changed as a shopper sees it.
    pub fn watch(&self, variants: Vec<VariantId>) -> futures::stream::BoxStream<'static, VariantId> {
        self.live.watch(move |changed| variants.contains(changed))
    }

    /// What other processes are told when stock changes in this one.
    pub fn news(&self) -> News {
        News::of("inventory.variant", &self.live, |variant| variant.to_string())
    }

    /// To be called after a commit: what is remembered of these is no longer so, and who watches some of them is told.
    pub fn changed(&self, touched: &Touched) {
        for (variant, product) in &touched.all {
            self.memory.forget(*variant, *product);
        }
        for variant in &touched.visibly {
            self.live.announce(*variant);
        }
    }

    /// To be called after events were applied that changed a variant's stock; where its product is not known, anything
    /// may have changed.
    pub fn changed_by_events(&self, variant: VariantId, product: Option<ProductId>) {
        match product {
            Some(product) => self.memory.forget(variant, product),
            None => self.memory.clear(),
        }
    }

    /// Tells who watches a variant.
    pub fn announce(&self, variant: VariantId) {
        self.live.announce(variant);
    }
}

/// What a transaction changed.
#[derive(Debug, Default)]
pub struct Touched {
    /// Every variant whose stock may have changed, with its product.
    pub all: Vec<(VariantId, ProductId)>,
    /// Those of which a shopper sees it.
    pub visibly: Vec<VariantId>,
}
