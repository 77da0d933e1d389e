//! The seeded world: every row follows from (seed, entity, number) alone, so that all subgraphs agree on it without
//! asking each other, parts can be written in parallel or again after a kill, and ids stay the same for ever.

mod catalog;
mod image;
mod orders;
mod people;
mod stock;
mod words;

use std::time::Duration;

use common::{Entity, Id, Timestamp};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

pub use catalog::{
    CATEGORIES, CHANNELS, CURRENCIES, DEPARTMENTS, SeedChannel, SeedPrice, SeedProduct, SeedReview,
    SeedVariant,
};
pub use image::{image_url, svg};
pub use orders::{SeedOrder, SeedOrderLine, SeedOrderStatus};
pub use people::{DEMO_PASSWORD, DEMO_USERS, DemoUser, SeedAddress, SeedUser};
pub use stock::{LOCATIONS, SeedLocation, SeedStock};

/// When the seeded world's present is: 2026-11-01T00:00:00Z. Everything in it happened before.
pub const PRESENT: Timestamp = Timestamp(1_793_491_200_000_000);

/// The size of a seeded world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct World {
    /// Another seed, another world.
    pub seed: u64,
    /// How many products.
    pub products: u32,
    /// How many users, the demo users included.
    pub users: u32,
    /// How many orders.
    pub orders: u32,
}

impl World {
    /// What the one-command shop has.
    pub const DEMO: Self = Self { seed: 1, products: 1_000, users: 2_000, orders: 6_000 };

    /// The chance that belongs to one row.
    fn chance(&self, entity: &str, row: u64) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(entity.as_bytes());
        hash.update(row.to_le_bytes());
        ChaCha8Rng::from_seed(hash.finalize().into())
    }

    /// The id of one row, made so long before the present.
    fn id<E: Entity>(&self, row: u64, age: Duration) -> Id<E> {
        let mut random = [0u8; 10];
        self.chance(E::PREFIX, row).fill(&mut random);
        Id::stable(PRESENT.minus(age).millis().unsigned_abs(), random)
    }
}

/// A rank from 0 to `count` − 1, the low ones far more often (Zipf with exponent about 1).
fn popular(chance: &mut ChaCha8Rng, count: u32) -> u32 {
    let exponent: f64 = chance.random();
    // The inverse of the harmonic distribution's integral: count^u.
    let rank = f64::from(count + 1).powf(exponent) - 1.0;
    (rank as u32).min(count.saturating_sub(1))
}
