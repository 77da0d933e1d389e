//! Setting stock aside for an order: all lines or none, once.

use std::collections::{BTreeMap, BTreeSet};

use common::id::{CartLineId, OrderId, ReservationId, VariantId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use events::calls::inventory::{ReserveLine, ReserveStock, ReserveStockReply};
use sea_orm::EntityTrait as _;

use super::{Inventory, LockedStock, Touched};
use crate::domain::{HoldState, ReservationState, ReserveRefusal, Shelf, allocate, share_out};
use crate::entity::stock_level::Shift;
use crate::entity::{order_hold, reservation, stock_location};

/// Most distinct variants of one order.
const MOST_VARIANTS: usize = 500;

impl Inventory {
    /// Sets stock aside for an order. The same order again gets the same answer.
    pub async fn reserve(&self, request: &ReserveStock) -> Result<ReserveStockReply, Fault> {
        let demand = &demand(&request.lines)?;
        let locations = &self.known_locations().await?;
        let database = &self.ports.database;
        let reserved =
            database.transaction(|tx| self.reserve_in(tx, request, demand, locations).scope_boxed()).await;
        let reserved = match reserved {
            Ok(None) => database.transaction(|tx| self.answer_again(tx, request.order).scope_boxed()).await,
            reserved => reserved.map(Option::unwrap_or_default),
        };
        Ok(match settle(reserved)? {
            Ok((reservations, touched)) => {
                self.changed(&touched);
                ReserveStockReply::Reserved { reservations }
            }
            Err(ReserveRefusal::Insufficient { variant, available }) => {
                ReserveStockReply::Insufficient { variant, available }
            }
            Err(ReserveRefusal::Gone) => ReserveStockReply::Gone,
        })
    }

    /// `None` where the order was answered before.
    async fn reserve_in(
        &self,
        tx: &Tx,
        request: &ReserveStock,
        demand: &Demand,
        locations: &[stock_location::Model],
    ) -> Result<Option<(Vec<ReservationId>, Touched)>, Failure<ReserveRefusal>> {
        let now = self.ports.clock.now();
        let (order_id, expires_at) = (request.order, request.expires_at);
        let hold = order_hold::Model { order_id, state: HoldState::Active, expires_at };
        if !order_hold::claim(tx, hold).await? {
            return Ok(None);
        }
        if expires_at <= now {
            return Err(Failure::Refused(ReserveRefusal::Gone));
        }
        let variants: BTreeSet<VariantId> = demand.keys().copied().collect();
        let mut stock = LockedStock::lock(tx, &variants, now).await?;
        if stock.has_lapsed() {
            let lapsed = reservation::lapsed_of(tx, variants.into_iter().collect(), now).await?;
            expire(tx, &mut stock, lapsed).await?;
        }
        let mut rows = Vec::new();
        for (variant, lines) in demand {
            let wanted = lines.iter().map(|(_, quantity)| i64::from(*quantity)).sum();
            let portions = portions(&stock, locations, &request.country, *variant, wanted)?;
            for (location, quantity) in &portions {
                if let Some(location) = location {
                    let shift = Shift { reserved: *quantity, ..Shift::default() };
                    stock.shift(tx, *variant, *location, shift).await?;
                }
            }
            let shares = share_out(lines, &portions).into_iter();
            rows.extend(shares.map(|(cart_line_id, location_id, quantity)| reservation::Model {
                id: self.ports.ids.next(),
                order_id,
                cart_line_id,
                variant_id: *variant,
                location_id,
                quantity,
                state: ReservationState::Active,
                expires_at,
            }));
        }
        let ids = rows.iter().map(|row| row.id).collect();
        let rows = rows.into_iter().map(reservation::ActiveModel::from);
        reservation::Entity::insert_many(rows).exec_without_returning(tx).await?;
        Ok(Some((ids, stock.publish(&self.ports, tx).await?)))
    }

    /// What an order was answered before.
    async fn answer_again(
        &self,
        tx: &Tx,
        order: OrderId,
    ) -> Result<(Vec<ReservationId>, Touched), Failure<ReserveRefusal>> {
        let now = self.ports.clock.now();
        match order_hold::lock(tx, order).await? {
            Some(hold) if hold.state == HoldState::Released => Err(Failure::Refused(ReserveRefusal::Gone)),
            Some(hold) if hold.state == HoldState::Active && hold.expires_at <= now => {
                Err(Failure::Refused(ReserveRefusal::Gone))
            }
            _ => {
                let rows = reservation::of_order(tx, order).await?;
                Ok((rows.into_iter().map(|row| row.id).collect(), Touched::default()))
            }
        }
    }
}

/// What is wanted of each variant, and for which lines.
type Demand = BTreeMap<VariantId, Vec<(Option<CartLineId>, i32)>>;

/// The lines by variant. The same variant twice counts twice.
fn demand(lines: &[ReserveLine]) -> Result<Demand, Fault> {
    let mut demand = Demand::new();
    for line in lines {
        if line.quantity <= 0 {
            return Err(Fault::bad_input("A quantity is a positive number."));
        }
        demand.entry(line.variant).or_default().push((line.line, line.quantity));
    }
    if demand.is_empty() || demand.len() > MOST_VARIANTS {
        return Err(Fault::bad_input(format!("An order has 1 to {MOST_VARIANTS} different variants.")));
    }
    Ok(demand)
}

/// Gives back what reservations hold whose time has run out, as far as nobody else has. Their levels are locked.
pub(super) async fn expire(
    tx: &Tx,
    stock: &mut LockedStock,
    lapsed: Vec<reservation::Model>,
) -> Result<usize, Fault> {
    let mut expired = 0;
    for row in lapsed {
        if !reservation::turn(tx, row.id, ReservationState::Active, ReservationState::Expired).await? {
            continue;
        }
        expired += 1;
        if let Some(location) = row.location_id {
            let shift = Shift { reserved: -row.quantity, ..Shift::default() };
            stock.shift(tx, row.variant_id, location, shift).await?;
        }
    }
    Ok(expired)
}

type Portion = (Option<common::id::StockLocationId>, i32);

/// From where a variant is taken; nowhere for what nobody counts.
fn portions(
    stock: &LockedStock,
    locations: &[stock_location::Model],
    country: &str,
    variant: VariantId,
    wanted: i64,
) -> Result<Vec<Portion>, Failure<ReserveRefusal>> {
    let short = |available: i64| {
        let available = i32::try_from(available.max(0)).unwrap_or(i32::MAX);
        Failure::Refused(ReserveRefusal::Insufficient { variant, available })
    };
    let narrow = |quantity: i64| i32::try_from(quantity).map_err(Fault::internal);
    let policy = stock.item(variant).ok_or_else(|| short(0))?.policy();
    if !policy.tracked {
        return Ok(vec![(None, narrow(wanted)?)]);
    }
    let shelves: Vec<Shelf> = stock
        .levels(variant)
        .filter_map(|level| {
            let location = locations.iter().find(|location| location.id == level.location_id)?;
            let home = location.country_code == country;
            let shelf = Shelf { location: location.id, free: level.free(), home };
            location.ships_to(country).then_some(shelf)
        })
        .collect();
    let sellable = policy.sellable(shelves.iter().map(|shelf| shelf.free).sum());
    if !policy.may_oversell() && wanted > sellable {
        return Err(short(sellable));
    }
    let portions = allocate(shelves, wanted, policy.may_oversell()).ok_or_else(|| short(sellable))?;
    portions.into_iter().map(|(location, quantity)| Ok((Some(location), narrow(quantity)?))).collect()
}
