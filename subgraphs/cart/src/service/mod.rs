//! The use cases of carts and wish lists: one transaction each.

mod abandon;
mod checkout;
mod create;
mod edit;
mod merge;
mod project;
mod read;
mod wish;

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, Cached};
use common::id::{CartId, CategoryId, ProductId, VariantId};
use common::{Fault, Timestamp};
use database::Tx;
use futures::stream::BoxStream;
use subgraph::{Live, Ports};

pub use create::NewCart;
pub use edit::{AddressEdit, Edit, Edited, Request};
pub use merge::Merge;
pub use project::{apply_product, title_of};
pub use wish::Wish;

use crate::domain::{Basket, Priced, Promotion, quote};
use crate::entity::{cart, line, promotion};

/// How long a change to the promotions may go unseen.
const AGE: Duration = Duration::from_secs(10);
/// How long a variant may stand in its old categories, where another process heard of the new ones and does not tell.
const PLACE_AGE: Duration = Duration::from_secs(60);
/// Places of variants kept in memory.
const PLACES: usize = 50_000;
/// Of these, how many are read before anybody asks, and how many at once.
const WARM: usize = 10_000;
const CHUNK: u64 = 2_000;

/// The product of a variant, its category and those above.
pub type Place = Arc<(ProductId, Vec<CategoryId>)>;

/// The use cases of carts and wish lists. Cheap to clone.
#[derive(Clone)]
pub struct Carts {
    pub(crate) ports: Ports,
    memory: Arc<Memory>,
}

struct Memory {
    promotions: Cached<Vec<Promotion>>,
    places: Cache<VariantId, Place>,
    changes: Live<CartId>,
}

impl Carts {
    /// The carts in the database of `ports`.
    pub fn new(ports: &Ports) -> Self {
        let memory = Memory {
            promotions: Cached::new(AGE),
            places: ports.memory.cache(PLACES, PLACE_AGE),
            changes: Live::new(),
        };
        Self { ports: ports.clone(), memory: Arc::new(memory) }
    }

    /// The promotions that have not ended, from memory where they were read a moment ago. To be called before a
    /// transaction is begun, never within one.
    pub async fn promotions(&self) -> Result<Arc<Vec<Promotion>>, Fault> {
        let read =
            async |changed| promotion::not_ended(self.ports.database.read_since(changed), self.now()).await;
        self.memory.promotions.get_or_load(read).await
    }

    /// Yields whenever the cart changed in this process.
    pub fn changes_of(&self, id: CartId) -> BoxStream<'static, CartId> {
        self.memory.changes.watch(move |changed| *changed == id)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    fn announce(&self, id: CartId) {
        self.memory.changes.announce(id);
    }

    /// Prices a cart; what a checkout holds keeps the price at which it was frozen.
    fn price(&self, basket: Basket, promotions: &[Promotion]) -> Result<Priced, Fault> {
        let quote = match &basket.cart.frozen {
            Some(frozen) => frozen.quote.clone(),
            None => quote(&basket, promotions, self.now())
                .ok_or_else(|| Fault::internal("a total is out of range"))?,
        };
        Ok(Priced { basket, quote })
    }
}

/// Writes a new cart with its lines.
async fn insert(tx: &Tx, basket: &Basket) -> Result<(), Fault> {
    cart::insert(tx, &basket.cart).await?;
    line::put(tx, basket.cart.id, &basket.lines.iter().collect::<Vec<_>>()).await?;
    Ok(())
}

/// Writes what differs between a cart that was locked and read in `tx` and what became of it: one statement for the
/// cart, and one each for lines that are new or changed, and for lines that are gone.
async fn save(tx: &Tx, before: &Basket, after: &Basket) -> Result<(), Fault> {
    save_lines(tx, before, after).await?;
    cart::update(tx, &before.cart, &after.cart).await
}

async fn save_lines(tx: &Tx, before: &Basket, after: &Basket) -> Result<(), Fault> {
    let changed: Vec<_> = after.lines.iter().filter(|line| !before.lines.contains(line)).collect();
    let gone = before
        .lines
        .iter()
        .map(|line| line.id)
        .filter(|id| !after.lines.iter().any(|line| line.id == *id))
        .collect();
    line::remove(tx, after.cart.id, gone).await?;
    Ok(line::put(tx, after.cart.id, &changed).await?)
}
