//! Orders that somebody began to pay for or called off: the row that makes authorising and cancelling take turns.

use common::id::OrderId;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

/// An order, as far as paying for it goes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payable_order")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: OrderId,
    /// Whether nothing is to be paid for it any more.
    pub cancelled: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The order's row, made where it is missing, and locked, and whether it was missing; a missing one gets `cancelled`.
pub async fn lock(tx: &database::Tx, order_id: OrderId, cancelled: bool) -> Result<(Model, bool), DbErr> {
    let new = Model { order_id, cancelled };
    match Entity::insert(ActiveModel::from(new.clone())).exec_without_returning(tx).await {
        Ok(_) => Ok((new, true)),
        Err(error) if database::is_duplicate(&error) => {
            let known = Entity::find_by_id(order_id).lock_exclusive().one(tx).await?;
            let known = known.ok_or_else(|| DbErr::RecordNotFound(order_id.to_string()))?;
            Ok((known, false))
        }
        Err(error) => Err(error),
    }
}

/// Marks an order that is locked as called off.
pub async fn cancel(tx: &database::Tx, order: OrderId) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Cancelled, Expr::value(true))
        .filter(Column::OrderId.eq(order))
        .exec(tx)
        .await
        .map(drop)
}
