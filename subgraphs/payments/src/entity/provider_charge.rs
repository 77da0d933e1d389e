//! The test provider's own book: every movement that it was asked for, under the key it was asked with.

use common::id::{CheckoutAttemptId, OrderId};
use common::{Currency, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::TransactionKind;
use crate::provider::ChargeOutcome;

/// A line of the book.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_charge")]
pub struct Model {
    /// The key it was asked with: asked again, it is the same charge.
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    pub kind: TransactionKind,
    pub order_id: OrderId,
    pub attempt_id: Option<CheckoutAttemptId>,
    pub token: String,
    pub currency: Currency,
    pub amount: i64,
    pub outcome: ChargeOutcome,
    /// The provider's own name for the payment.
    pub reference: String,
    pub client_secret: Option<String>,
    /// How often it was asked for.
    pub calls: i32,
    /// Before that, nothing is answered.
    pub answer_at: Timestamp,
    pub at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a line; says whether it is the first under its key.
pub async fn insert(db: &impl ConnectionTrait, new: Model) -> Result<bool, DbErr> {
    match Entity::insert(ActiveModel::from(new)).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if database::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Counts another call for a line that is there, and finds it.
pub async fn ask_again(tx: &database::Tx, key: String) -> Result<Model, DbErr> {
    Entity::update_many()
        .col_expr(Column::Calls, Expr::col(Column::Calls).add(1))
        .filter(Column::IdempotencyKey.eq(key.clone()))
        .exec(tx)
        .await?;
    let known = Entity::find_by_id(key.clone()).one(tx).await?;
    known.ok_or(DbErr::RecordNotFound(key))
}

/// Gives a line another outcome if it has the one that it should; says whether it had.
pub async fn turn(
    db: &impl ConnectionTrait,
    key: &str,
    from: ChargeOutcome,
    to: ChargeOutcome,
) -> Result<bool, DbErr> {
    let turned = Entity::update_many()
        .col_expr(Column::Outcome, Expr::val(to))
        .filter(Column::IdempotencyKey.eq(key))
        .filter(Column::Outcome.eq(from))
        .exec(db)
        .await?;
    Ok(turned.rows_affected == 1)
}

/// The authorisation with this reference.
pub async fn authorization(db: &impl ConnectionTrait, reference: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Reference.eq(reference))
        .filter(Column::Kind.eq(TransactionKind::Authorize))
        .one(db)
        .await
}

/// The authorisation of an attempt.
pub async fn of_attempt(
    db: &impl ConnectionTrait,
    attempt: CheckoutAttemptId,
) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::AttemptId.eq(attempt)).one(db).await
}

/// The lines of an order, oldest first, at most a hundred.
pub async fn of_order(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::OrderId.eq(order))
        .order_by_asc(Column::At)
        .order_by_asc(Column::IdempotencyKey)
        .limit(100)
        .all(db)
        .await
}
