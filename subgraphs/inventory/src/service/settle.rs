//! What becomes of stock that was set aside: committed, given back, or sent.

use common::id::OrderId;
use common::{Failure, Fault, FaultCode, settle};
use database::{ScopedFutureExt, Tx};
use events::calls::inventory::CommitStockReply;
use subgraph::Ports;

use super::{Inventory, LockedStock, Touched};
use crate::domain::{Expired, HoldState, ReservationState};
use crate::entity::stock_level::Shift;
use crate::entity::{order_hold, reservation};

impl Inventory {
    /// Turns an order's reservations into allocations, if their time has not run out.
    pub async fn commit(&self, order: OrderId) -> Result<CommitStockReply, Fault> {
        let committed = self.ports.database.transaction(|tx| self.commit_in(tx, order).scope_boxed()).await;
        Ok(match settle(committed)? {
            Ok(()) => CommitStockReply::Committed,
            Err(Expired) => CommitStockReply::Expired,
        })
    }

    async fn commit_in(&self, tx: &Tx, order: OrderId) -> Result<(), Failure<Expired>> {
        if !order_hold::commit(tx, order, self.ports.clock.now()).await? {
            let known = order_hold::lock(tx, order).await?.map(|hold| hold.state);
            let done = matches!(known, Some(HoldState::Committed | HoldState::Shipped));
            return if done { Ok(()) } else { Err(Failure::Refused(Expired)) };
        }
        let mut rows = reservation::of_order(tx, order).await?;
        let (from, to) = (ReservationState::Active, ReservationState::Committed);
        // Another process, whose clock is ahead, may have given some back; then nothing is committed.
        if rows.iter().any(|row| row.state != from) {
            return Err(Failure::Refused(Expired));
        }
        rows.sort_by_key(|row| (row.variant_id, row.location_id));
        for row in &rows {
            if let Some(location) = row.location_id {
                let shift = Shift { reserved: -row.quantity, allocated: row.quantity, on_hand: 0 };
                LockedStock::allocate(tx, row.variant_id, location, shift).await?;
            }
        }
        // It may also have done so since they were read.
        if reservation::turn_all(tx, order, from, to).await? != rows.len() as u64 {
            return Err(Failure::Refused(Expired));
        }
        Ok(())
    }

    /// Gives back what is set aside for or allocated to an order. An order of which nothing is known gets nothing
    /// afterwards either: a release that overtakes its reservation wins.
    pub async fn release(&self, order: OrderId) -> Result<(), Fault> {
        let ports = &self.ports;
        let touched = ports.database.transaction(|tx| release_in(ports, tx, order).scope_boxed()).await?;
        self.changed(&touched);
        Ok(())
    }
}

/// Gives back what an order holds, as part of `tx`.
pub async fn release_in(ports: &Ports, tx: &Tx, order: OrderId) -> Result<Touched, Fault> {
    let Some(held) = order_hold::lock(tx, order).await? else {
        let expires_at = ports.clock.now();
        let none = order_hold::Model { order_id: order, state: HoldState::Released, expires_at };
        if order_hold::claim(tx, none).await? {
            return Ok(Touched::default());
        }
        // It was written at the same moment: tried anew, it is there.
        return Err(Fault::new(FaultCode::Conflict, "The order was reserved at the same moment."));
    };
    if !matches!(held.state, HoldState::Active | HoldState::Committed) {
        return Ok(Touched::default());
    }
    let rows = reservation::of_order(tx, order).await?;
    let mut stock = lock_of(ports, tx, &rows).await?;
    for row in rows {
        let shift =
            if reservation::turn(tx, row.id, ReservationState::Active, ReservationState::Released).await? {
                Shift { reserved: -row.quantity, ..Shift::default() }
            } else if reservation::turn(tx, row.id, ReservationState::Committed, ReservationState::Released)
                .await?
            {
                Shift { allocated: -row.quantity, ..Shift::default() }
            } else {
                continue;
            };
        if let Some(location) = row.location_id {
            stock.shift(tx, row.variant_id, location, shift).await?;
        }
    }
    order_hold::turn(tx, order, HoldState::Released).await?;
    stock.publish(ports, tx).await
}

/// Takes what is allocated to an order out of stock, because it was sent, as part of `tx`.
pub async fn ship_in(ports: &Ports, tx: &Tx, order: OrderId) -> Result<(), Fault> {
    let held = order_hold::lock(tx, order).await?;
    if held.is_none_or(|hold| hold.state != HoldState::Committed) {
        return Ok(());
    }
    let rows = reservation::of_order(tx, order).await?;
    let mut stock = lock_of(ports, tx, &rows).await?;
    for row in rows {
        if let Some(location) = row.location_id {
            let shift = Shift { on_hand: -row.quantity, allocated: -row.quantity, reserved: 0 };
            stock.shift(tx, row.variant_id, location, shift).await?;
        }
    }
    Ok(order_hold::turn(tx, order, HoldState::Shipped).await?)
}

async fn lock_of(ports: &Ports, tx: &Tx, rows: &[reservation::Model]) -> Result<LockedStock, Fault> {
    LockedStock::lock(tx, &rows.iter().map(|row| row.variant_id).collect(), ports.clock.now()).await
}
