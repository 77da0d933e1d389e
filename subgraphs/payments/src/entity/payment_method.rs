//! Stored ways to pay.

use common::Timestamp;
use common::id::{PaymentMethodId, UserId};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// A way to pay that a user keeps.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_method")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentMethodId,
    pub user_id: UserId,
    pub kind: String,
    pub brand: Option<String>,
    pub last4: Option<String>,
    pub exp_month: Option<i32>,
    pub exp_year: Option<i32>,
    /// What stands for it at the provider.
    pub token: String,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One of a user's.
pub async fn owned(
    db: &impl ConnectionTrait,
    id: PaymentMethodId,
    user: UserId,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(Column::UserId.eq(user)).one(db).await
}

/// All of these users', newest first.
pub async fn of_users(db: &impl ConnectionTrait, users: Vec<UserId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::UserId.is_in(users)).order_by_desc(Column::CreatedAt).all(db).await
}
