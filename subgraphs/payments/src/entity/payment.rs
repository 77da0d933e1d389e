//! Payments: one for each attempt to check out.

use common::id::{CheckoutAttemptId, OrderId, PaymentId, UserId};
use common::{Currency, Money, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::{Balance, PaymentState};

/// A payment's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentId,
    pub version: i32,
    pub attempt_id: CheckoutAttemptId,
    pub order_id: OrderId,
    /// Whose; nobody's for a guest.
    pub customer_id: Option<UserId>,
    pub state: PaymentState,
    pub currency: Currency,
    pub amount: i64,
    pub authorized: i64,
    pub captured: i64,
    pub refunded: i64,
    pub capture_pending: i64,
    pub refund_pending: i64,
    /// Whether all of it is to be undone, now and when more turns up.
    pub cancelled: bool,
    pub method: String,
    pub last4: Option<String>,
    /// What stands for the card at the provider.
    pub token: String,
    pub return_url: Option<String>,
    /// The provider's own name for it.
    pub reference: Option<String>,
    /// What the buyer is asked to do, and with what.
    pub action_reason: Option<String>,
    pub client_secret: Option<String>,
    pub redirect_url: Option<String>,
    /// Why it failed, for the buyer to read.
    pub failure: Option<String>,
    pub failure_retryable: bool,
    pub method_invalid: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its state and amounts.
    pub fn balance(&self) -> Balance {
        Balance {
            state: self.state,
            amount: self.amount,
            authorized: self.authorized,
            captured: self.captured,
            refunded: self.refunded,
            capture_pending: self.capture_pending,
            refund_pending: self.refund_pending,
        }
    }

    /// Takes over a state and amounts.
    pub fn set_balance(&mut self, balance: Balance) {
        self.state = balance.state;
        self.authorized = balance.authorized;
        self.captured = balance.captured;
        self.refunded = balance.refunded;
        self.capture_pending = balance.capture_pending;
        self.refund_pending = balance.refund_pending;
    }

    /// An amount in its currency.
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }
}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<PaymentId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those of these orders, oldest first.
pub async fn of_orders(db: &impl ConnectionTrait, orders: Vec<OrderId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::OrderId.is_in(orders))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Those of these attempts.
pub async fn of_attempts(
    db: &impl ConnectionTrait,
    attempts: Vec<CheckoutAttemptId>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::AttemptId.is_in(attempts)).all(db).await
}

/// One that is about to be changed in `tx`, locked.
pub async fn lock(tx: &database::Tx, id: PaymentId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Those of an order, locked by id.
pub async fn lock_of_order(tx: &database::Tx, order: OrderId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrderId.eq(order)).order_by_asc(Column::Id).lock_exclusive().all(tx).await
}

/// Writes one over the version right below, which nobody needs to have locked; says whether it was there.
pub async fn replace(tx: &database::Tx, payment: Model) -> Result<bool, DbErr> {
    let (id, version) = (payment.id, payment.version);
    let row = ActiveModel::from(payment).reset_all();
    let below = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id))
        .filter(Column::Version.eq(version - 1))
        .exec(tx)
        .await?;
    Ok(below.rows_affected == 1)
}

/// Writes one that is locked.
pub async fn save(tx: &database::Tx, payment: Model) -> Result<(), DbErr> {
    let id = payment.id;
    let row = ActiveModel::from(payment).reset_all();
    Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(tx).await.map(drop)
}
