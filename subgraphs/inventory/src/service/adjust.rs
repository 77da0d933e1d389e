//! Changing stock by hand: goods came in, were counted, or broke.

use common::id::{StockLocationId, VariantId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::EntityTrait as _;
use serde::Serialize;
use subgraph::idempotency::{Key, Replay};

use super::{Inventory, LockedStock, Touched};
use crate::domain::{AdjustRefusal, check_adjustment};
use crate::entity::stock_level::{Model as Level, Shift};
use crate::entity::{stock_adjustment, stock_level, stock_location};

/// A change of stock by hand.
#[derive(Debug, Clone, Serialize)]
pub struct Adjustment {
    /// Of what.
    pub variant: VariantId,
    /// Where.
    pub location: StockLocationId,
    /// How many more, or less.
    pub delta: i32,
    /// How many were seen there before.
    pub change_from: Option<i32>,
    /// Why.
    pub reason: String,
}

impl Inventory {
    /// Changes what lies in a location. `key` is the client's idempotency key, `actor` who it is.
    pub async fn adjust(
        &self,
        actor: &str,
        key: &str,
        change: &Adjustment,
    ) -> Result<Result<Level, AdjustRefusal>, Fault> {
        if let Err(refusal) = check_adjustment(change.delta, &change.reason) {
            return Ok(Err(refusal));
        }
        let key = &Key::new("stockAdjust", actor, key, change)?;
        let adjusted =
            self.ports.database.transaction(|tx| self.adjust_in(tx, actor, key, change).scope_boxed()).await;
        let adjusted = settle(adjusted)?;
        Ok(adjusted.map(|(level, touched)| {
            self.changed(&touched);
            level
        }))
    }

    async fn adjust_in(
        &self,
        tx: &Tx,
        actor: &str,
        key: &Key,
        change: &Adjustment,
    ) -> Result<(Level, Touched), Failure<AdjustRefusal>> {
        match key.claim::<Level>(tx, self.ports.clock.now()).await? {
            Replay::New => {}
            Replay::Done(level) => return Ok((level, Touched::default())),
            Replay::Reused => return Err(Failure::Refused(AdjustRefusal::KeyReused)),
        }
        let mut stock = LockedStock::lock(tx, &[change.variant].into(), self.ports.clock.now()).await?;
        let level = find_or_add(tx, &mut stock, change).await?;
        if change.change_from.is_some_and(|seen| seen != level.on_hand) {
            return Err(Failure::Refused(AdjustRefusal::QuantityConflict { on_hand: level.on_hand }));
        }
        let available = if level.oversell { i64::from(level.on_hand) } else { level.free() };
        if available + i64::from(change.delta) < 0 {
            return Err(Failure::Refused(AdjustRefusal::Insufficient { available: available.max(0) }));
        }
        if level.on_hand.checked_add(change.delta).is_none() {
            return Err(Failure::Refused(AdjustRefusal::BadDelta));
        }
        let shift = Shift { on_hand: change.delta, ..Shift::default() };
        stock.shift(tx, change.variant, change.location, shift).await?;
        let level = level.shifted(shift);
        self.record(tx, actor, change, &level).await?;
        key.remember(tx, &level).await?;
        Ok((level, stock.publish(&self.ports, tx).await?))
    }

    async fn record(&self, tx: &Tx, actor: &str, change: &Adjustment, level: &Level) -> Result<(), Fault> {
        let row = stock_adjustment::ActiveModel {
            seq: NotSet,
            variant_id: Set(change.variant),
            location_id: Set(change.location),
            delta: Set(change.delta),
            on_hand: Set(level.on_hand),
            reason: Set(change.reason.trim().to_owned()),
            actor: Set(actor.to_owned()),
            at: Set(self.ports.clock.now()),
        };
        stock_adjustment::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(())
    }
}

/// The level that is to change; an empty one is made where the variant never lay there.
async fn find_or_add(
    tx: &Tx,
    stock: &mut LockedStock,
    change: &Adjustment,
) -> Result<Level, Failure<AdjustRefusal>> {
    if let Some(level) = stock.level(change.variant, change.location) {
        return Ok(level.clone());
    }
    let item = stock.item(change.variant).ok_or(Failure::Refused(AdjustRefusal::UnknownVariant))?;
    if stock_location::by_ids(tx, vec![change.location]).await?.is_empty() {
        return Err(Failure::Refused(AdjustRefusal::UnknownLocation));
    }
    let level = Level::empty(change.variant, change.location, &item.policy());
    let row = stock_level::ActiveModel::from(level.clone());
    match stock_level::Entity::insert(row).exec_without_returning(tx).await {
        Err(error) if database::is_duplicate(&error) => {
            // Somebody else made it at this moment: try anew and find it.
            let fault = Fault::new(common::FaultCode::Conflict, "The stock changed at the same moment.");
            return Err(Failure::Fault(fault));
        }
        inserted => inserted?,
    };
    stock.add(level.clone());
    Ok(level)
}
