//! What is set aside for an order: one row for each line of the cart and location.

use common::Timestamp;
use common::id::{CartLineId, OrderId, ReservationId, StockLocationId, VariantId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::ReservationState;

/// A portion that is set aside.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReservationId,
    pub order_id: OrderId,
    /// The line of the cart that it was ordered from; none where whoever reserves has no cart.
    pub cart_line_id: Option<CartLineId>,
    pub variant_id: VariantId,
    /// Where; nowhere for what nobody counts.
    pub location_id: Option<StockLocationId>,
    pub quantity: i32,
    pub state: ReservationState,
    pub expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<ReservationId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those of an order, whatever their state.
pub async fn of_order(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrderId.eq(order)).order_by_asc(Column::Id).all(db).await
}

/// Those of these lines of carts that were not given back, the oldest first.
pub async fn of_lines(db: &impl ConnectionTrait, lines: Vec<CartLineId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::CartLineId.is_in(lines))
        .filter(Column::State.ne(ReservationState::Released))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Those of these variants whose time has run out and that still hold stock.
pub async fn lapsed_of(
    tx: &database::Tx,
    variants: Vec<VariantId>,
    now: Timestamp,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::VariantId.is_in(variants))
        .filter(Column::State.eq(ReservationState::Active))
        .filter(Column::ExpiresAt.lte(now))
        .order_by_asc(Column::Id)
        .all(tx)
        .await
}

/// Some whose time has run out and that still hold stock, the longest first.
pub async fn lapsed(db: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(ReservationState::Active))
        .filter(Column::ExpiresAt.lte(now))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit)
        .all(db)
        .await
}

/// Gives all of an order that have one state another; says how many that were.
pub async fn turn_all(
    tx: &database::Tx,
    order: OrderId,
    from: ReservationState,
    to: ReservationState,
) -> Result<u64, DbErr> {
    let turned = Entity::update_many()
        .col_expr(Column::State, Expr::val(to))
        .filter(Column::OrderId.eq(order))
        .filter(Column::State.eq(from))
        .exec(tx)
        .await?;
    Ok(turned.rows_affected)
}

/// Gives one another state if it has the one that it should; says whether it had.
pub async fn turn(
    tx: &database::Tx,
    id: ReservationId,
    from: ReservationState,
    to: ReservationState,
) -> Result<bool, DbErr> {
    let turned = Entity::update_many()
        .col_expr(Column::State, Expr::val(to))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(from))
        .exec(tx)
        .await?;
    Ok(turned.rows_affected == 1)
}
