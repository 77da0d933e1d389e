//! Refunds.

use common::id::{PaymentId, RefundId, ReturnId, UserId};
use common::{Currency, Timestamp};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use crate::domain::RefundState;

/// Money that is given back.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refund")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RefundId,
    pub payment_id: PaymentId,
    /// Whose payment; nobody's for a guest.
    pub customer_id: Option<UserId>,
    pub return_id: Option<ReturnId>,
    pub state: RefundState,
    pub amount: i64,
    pub currency: Currency,
    pub reason: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<RefundId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those of these payments, oldest first.
pub async fn of_payments(db: &impl ConnectionTrait, payments: Vec<PaymentId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::PaymentId.is_in(payments)).order_by_asc(Column::CreatedAt).all(db).await
}

/// Those for these returns, oldest first.
pub async fn of_returns(db: &impl ConnectionTrait, returns: Vec<ReturnId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::ReturnId.is_in(returns)).order_by_asc(Column::CreatedAt).all(db).await
}

/// Says how one ended whose payment is locked.
pub async fn turn(tx: &database::Tx, id: RefundId, state: RefundState) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::val(state))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await
        .map(drop)
}
