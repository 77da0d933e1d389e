//! Where stock lies and how much of it.

use std::time::Duration;

use common::id::StockLocationId;
use rand::Rng as _;

use crate::World;

/// A place where stock lies.
pub struct SeedLocation {
    pub code: &'static str,
    pub name: &'static str,
    pub country: &'static str,
}

/// The places where stock lies.
pub const LOCATIONS: [SeedLocation; 4] = [
    SeedLocation { code: "us-east", name: "Newark", country: "US" },
    SeedLocation { code: "eu-central", name: "Leipzig", country: "DE" },
    SeedLocation { code: "jp-kanto", name: "Saitama", country: "JP" },
    SeedLocation { code: "gulf", name: "Kuwait City", country: "KW" },
];

/// The stock of one variant.
#[derive(Debug, Clone)]
pub struct SeedStock {
    /// By place in [`LOCATIONS`]; places without any are left out.
    pub on_hand: Vec<(usize, i32)>,
    /// Whether more than is there may be sold.
    pub backorder: bool,
}

impl World {
    /// The id of a location, by its place in [`LOCATIONS`].
    pub fn location_id(&self, place: usize) -> StockLocationId {
        self.id(place as u64, Duration::from_secs(86_400 * 1_000))
    }

    /// The stock of a variant: 8% have none, 5% little, 3% none but may be ordered ahead. The first variant of the
    /// fourth product is there once.
    pub fn stock(&self, product: u32, variant: u32) -> SeedStock {
        if (product, variant) == (3, 0) {
            return SeedStock { on_hand: vec![(0, 1)], backorder: false };
        }
        let mut chance = self.chance("stock", u64::from(product) << 32 | u64::from(variant));
        match chance.random_range(0..100) {
            0..8 => SeedStock { on_hand: vec![(0, 0)], backorder: false },
            8..13 => SeedStock { on_hand: vec![(0, chance.random_range(1..5))], backorder: false },
            13..16 => SeedStock { on_hand: vec![(0, 0)], backorder: true },
            _ => SeedStock {
                on_hand: (0..LOCATIONS.len()).map(|place| (place, chance.random_range(20..400))).collect(),
                backorder: false,
            },
        }
    }
}
