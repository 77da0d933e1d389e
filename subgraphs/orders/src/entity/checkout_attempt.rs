//! Checkout attempts: the saga's memory. Every change raises `version`, and a change is only written over the version
//! that it was made from, so a driver that has lost the attempt to another one changes nothing.

use common::id::{CartId, CheckoutAttemptId, OrderId, UserId};
use common::{Currency, Fault, Money, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::{CheckoutRefusal, CheckoutState};

/// An attempt's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checkout_attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CheckoutAttemptId,
    /// Digest of who asked and their idempotency key.
    pub scope: String,
    /// Digest of what was asked.
    pub request_hash: String,
    pub cart_id: CartId,
    /// Nobody for a guest.
    pub buyer_id: Option<UserId>,
    /// The order that is written, chosen before it is.
    pub order_id: OrderId,
    pub state: CheckoutState,
    pub version: i32,
    /// Whether somebody drives it now; their lease ends at `due_at`.
    pub driven: bool,
    /// When a worker should take it up; null when nothing is left to do.
    pub due_at: Option<Timestamp>,
    /// Failures of the machinery since the last progress.
    pub tries: i32,
    pub cart_version: i32,
    pub currency: Currency,
    pub expected_total: i64,
    /// Forgotten when nothing is left to do.
    pub payment_token: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub return_url: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub action_reason: Option<String>,
    /// `domain::CheckoutRefusal` as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub refusal: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The total that the buyer saw.
    pub const fn expected_total(&self) -> Money {
        Money::new(self.expected_total, self.currency)
    }

    /// Whether nothing is left to do.
    pub const fn is_finished(&self) -> bool {
        self.due_at.is_none()
    }

    /// Whether somebody drives it now.
    pub fn is_driven(&self, now: Timestamp) -> bool {
        self.driven && self.due_at.is_some_and(|until| until > now)
    }

    /// Why it failed.
    pub fn refusal(&self) -> Result<Option<CheckoutRefusal>, Fault> {
        self.refusal.as_deref().map(serde_json::from_str).transpose().map_err(Fault::internal)
    }
}

/// Writes a new one; says whether it is the first under its key.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, DbErr> {
    match Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if database::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes what may change of one, whose version must be the one right below; says whether it was.
pub async fn save(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    let changed = Entity::update_many()
        .col_expr(Column::State, Expr::value(row.state))
        .col_expr(Column::Version, Expr::value(row.version))
        .col_expr(Column::Driven, Expr::value(row.driven))
        .col_expr(Column::DueAt, Expr::value(row.due_at))
        .col_expr(Column::Tries, Expr::value(row.tries))
        .col_expr(Column::PaymentToken, Expr::value(row.payment_token.clone()))
        .col_expr(Column::ActionReason, Expr::value(row.action_reason.clone()))
        .col_expr(Column::Refusal, Expr::value(row.refusal.clone()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Version.eq(row.version - 1))
        .exec(db)
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<CheckoutAttemptId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// The one with this id, as the writers see it.
pub async fn by_id(db: &impl ConnectionTrait, id: CheckoutAttemptId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The one under this key.
pub async fn by_scope(db: &impl ConnectionTrait, scope: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Scope.eq(scope)).one(db).await
}

/// Those of these carts, newest first.
pub async fn of_carts(db: &impl ConnectionTrait, carts: Vec<CartId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::CartId.is_in(carts)).order_by_desc(Column::Id).all(db).await
}

/// Those that a worker should take up by now, the longest due first.
pub async fn due(db: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::DueAt.lte(now)).order_by_asc(Column::DueAt).limit(limit).all(db).await
}

/// Has a worker take up the attempt of an order at once, if nobody drives it and anything is left to do.
pub async fn hurry(db: &impl ConnectionTrait, order: OrderId, now: Timestamp) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .filter(Column::OrderId.eq(order))
        .filter(Column::Driven.eq(false))
        .filter(Column::DueAt.gt(now))
        .exec(db)
        .await
        .map(drop)
}
