//! Stock under lock: the only way in which levels change.

use std::collections::{BTreeMap, BTreeSet};

use common::id::{StockLocationId, VariantId};
use common::{Fault, FaultCode, Timestamp};
use database::Tx;
use events::inventory::InventoryEvent;
use subgraph::Ports;

use super::Touched;
use crate::domain::is_visible_change;
use crate::entity::stock_level::{Model as Level, Shift};
use crate::entity::{stock_item, stock_level};

/// Some variants' items and levels, locked by key until the transaction ends, with what was free before.
pub struct LockedStock {
    items: BTreeMap<VariantId, stock_item::Model>,
    levels: BTreeMap<(VariantId, StockLocationId), Level>,
    before: BTreeMap<VariantId, i64>,
    lapsed: bool,
}

impl LockedStock {
    /// Locks the items and levels of these variants.
    pub async fn lock(tx: &Tx, variants: &BTreeSet<VariantId>, now: Timestamp) -> Result<Self, Fault> {
        let ids = variants.iter().copied().collect();
        let mut locked =
            Self { items: BTreeMap::new(), levels: BTreeMap::new(), before: BTreeMap::new(), lapsed: false };
        for row in stock_level::lock_with_items(tx, ids, now).await? {
            locked.lapsed |= row.lapsed > 0;
            locked.items.insert(row.item.variant_id, row.item);
            locked.levels.extend(row.level.map(|level| ((level.variant_id, level.location_id), level)));
        }
        locked.before = variants.iter().map(|variant| (*variant, locked.free(*variant))).collect();
        Ok(locked)
    }

    /// Whether some of it is set aside by reservations whose time has run out.
    pub fn has_lapsed(&self) -> bool {
        self.lapsed
    }

    /// Turns what is set aside into what is allocated, which changes nothing of what is free: so the level need not be
    /// read. To be called in the order of the keys. Says `CONFLICT` where that is not possible.
    pub async fn allocate(
        tx: &Tx,
        variant: VariantId,
        location: StockLocationId,
        shift: Shift,
    ) -> Result<(), Fault> {
        if stock_level::shift(tx, variant, location, shift).await? { Ok(()) } else { Err(conflict()) }
    }

    /// What is stocked, where it is known.
    pub fn item(&self, variant: VariantId) -> Option<&stock_item::Model> {
        self.items.get(&variant)
    }

    /// The levels of a variant.
    pub fn levels(&self, variant: VariantId) -> impl Iterator<Item = &Level> {
        self.levels.values().filter(move |level| level.variant_id == variant)
    }

    /// The level of a variant in a location.
    pub fn level(&self, variant: VariantId, location: StockLocationId) -> Option<&Level> {
        self.levels.get(&(variant, location))
    }

    /// How many are free in all locations.
    pub fn free(&self, variant: VariantId) -> i64 {
        self.levels(variant).map(Level::free).sum()
    }

    /// Adds a level that was just written.
    pub fn add(&mut self, level: Level) {
        self.levels.insert((level.variant_id, level.location_id), level);
    }

    /// Changes a level. Says `CONFLICT`, so that the transaction is tried anew, where its condition does not hold
    /// although the lock said so.
    pub async fn shift(
        &mut self,
        tx: &Tx,
        variant: VariantId,
        location: StockLocationId,
        shift: Shift,
    ) -> Result<(), Fault> {
        let shifted = self.level(variant, location).map(|level| level.shifted(shift));
        match shifted {
            Some(level) if stock_level::shift(tx, variant, location, shift).await? => {
                self.add(level);
                Ok(())
            }
            _ => Err(conflict()),
        }
    }

    /// Writes an event for each variant whose availability changed as a shopper sees it.
    pub async fn publish(self, ports: &Ports, tx: &Tx) -> Result<Touched, Fault> {
        let mut touched = Touched::default();
        for (variant, item) in &self.items {
            // As a shopper in some country sees it, it may change where the sum does not.
            touched.all.push((*variant, item.product_id));
            let (before, after) =
                (self.before.get(variant).copied().unwrap_or_default(), self.free(*variant));
            let policy = item.policy();
            if before == after || !is_visible_change(&policy, before, after) {
                continue;
            }
            touched.visibly.push(*variant);
            let event = InventoryEvent {
                variant: *variant,
                product: item.product_id,
                available: policy.availability(after).is_available(),
                quantity: policy.sellable(after),
                as_of: ports.clock.now(),
            };
            ports.publish(tx, &event).await?;
        }
        Ok(touched)
    }
}

fn conflict() -> Fault {
    Fault::new(FaultCode::Conflict, "The stock changed at the same moment.")
}
