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

/// Writes the row of an order; says whether it was missing. Where it was not, end the transaction before you lock it:
/// MySQL keeps what refused the row locked for sharing, and several who all want it for themselves after that block
/// each other.
pub async fn insert(tx: &database::Tx, order_id: OrderId, cancelled: bool) -> Result<bool, DbErr> {
    let new = ActiveModel::from(Model { order_id, cancelled });
    match Entity::insert(new).exec_without_returning(tx).await {
        Ok(_) => Ok(true),
        Err(error) if database::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The row of an order, locked.
pub async fn lock(tx: &database::Tx, order_id: OrderId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(order_id).lock_exclusive().one(tx).await
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
