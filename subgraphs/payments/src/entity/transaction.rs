//! What is asked of the provider: a row before it is asked, and the same row when it has answered.

use common::Timestamp;
use common::id::{PaymentId, RefundId, TransactionId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::{TransactionKind, TransactionState};

/// A movement of money. `(kind, idempotency_key)` is unique: what is asked for twice moves once. Its id is the key under
/// which the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_transaction")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransactionId,
    pub payment_id: PaymentId,
    pub kind: TransactionKind,
    pub state: TransactionState,
    pub amount: i64,
    pub idempotency_key: String,
    pub request_hash: String,
    pub refund_id: Option<RefundId>,
    pub reference: Option<String>,
    /// When the provider is to be asked again; never, where it has answered or the buyer is to act.
    pub due_at: Option<Timestamp>,
    pub tries: i32,
    pub at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One by its id.
pub async fn find(db: &impl ConnectionTrait, id: TransactionId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// One by what it was asked for.
pub async fn by_key(
    db: &impl ConnectionTrait,
    kind: TransactionKind,
    key: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Kind.eq(kind)).filter(Column::IdempotencyKey.eq(key)).one(db).await
}

/// Those of these payments, oldest first.
pub async fn of_payments(db: &impl ConnectionTrait, payments: Vec<PaymentId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PaymentId.is_in(payments))
        .order_by_asc(Column::At)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Some that the provider is to be asked about again, the longest due first.
pub async fn due(db: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(TransactionState::Pending))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .limit(limit)
        .all(db)
        .await
}

/// Says when to ask again, if nobody else has said so meanwhile; says whether nobody had.
pub async fn put_off(
    db: &impl ConnectionTrait,
    transaction: &Model,
    until: Timestamp,
) -> Result<bool, DbErr> {
    let put_off = Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(Some(until)))
        .col_expr(Column::Tries, Expr::value(transaction.tries + 1))
        .filter(Column::Id.eq(transaction.id))
        .filter(Column::State.eq(TransactionState::Pending))
        .filter(Column::Tries.eq(transaction.tries))
        .exec(db)
        .await?;
    Ok(put_off.rows_affected == 1)
}

/// Writes what one came to, if that is not known yet; says whether it was not.
pub async fn finish(tx: &database::Tx, transaction: &Model) -> Result<bool, DbErr> {
    let finished = Entity::update_many()
        .col_expr(Column::State, Expr::value(transaction.state))
        .col_expr(Column::DueAt, Expr::value(transaction.due_at))
        .col_expr(Column::Reference, Expr::value(transaction.reference.clone()))
        .filter(Column::Id.eq(transaction.id))
        .filter(Column::State.eq(TransactionState::Pending))
        .exec(tx)
        .await?;
    Ok(finished.rows_affected == 1)
}

/// Writes one whose payment is locked.
pub async fn save(tx: &database::Tx, transaction: Model) -> Result<(), DbErr> {
    let id = transaction.id;
    let row = ActiveModel::from(transaction).reset_all();
    Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(tx).await.map(drop)
}
