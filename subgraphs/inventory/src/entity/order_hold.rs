//! What an order holds as a whole: the row that makes reserving, committing and releasing of one order take turns.

use common::Timestamp;
use common::id::OrderId;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use crate::domain::HoldState;

/// An order's hold on stock.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_hold")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: OrderId,
    pub state: HoldState,
    pub expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new hold; says whether there was none of this order. Waits for another transaction that writes the same.
/// Where there was one, end the transaction before you lock it: MySQL keeps what refused the row locked for sharing, and
/// several who all want it for themselves after that block each other.
pub async fn claim(tx: &database::Tx, hold: Model) -> Result<bool, DbErr> {
    match Entity::insert(ActiveModel::from(hold)).exec_without_returning(tx).await {
        Ok(_) => Ok(true),
        Err(error) if database::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// An order's hold, locked.
pub async fn lock(tx: &database::Tx, order: OrderId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(order).lock_exclusive().one(tx).await
}

/// Commits a hold that has not run out; says whether there was one.
pub async fn commit(tx: &database::Tx, order: OrderId, now: Timestamp) -> Result<bool, DbErr> {
    let committed = Entity::update_many()
        .col_expr(Column::State, Expr::val(HoldState::Committed))
        .filter(Column::OrderId.eq(order))
        .filter(Column::State.eq(HoldState::Active))
        .filter(Column::ExpiresAt.gt(now))
        .exec(tx)
        .await?;
    Ok(committed.rows_affected == 1)
}

/// Gives a hold that is locked another state.
pub async fn turn(tx: &database::Tx, order: OrderId, state: HoldState) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::val(state))
        .filter(Column::OrderId.eq(order))
        .exec(tx)
        .await
        .map(drop)
}
