//! Gift cards. Of a code only its digest is kept: who reads the table cannot spend the cards.

use common::id::{GiftCardId, UserId};
use common::{Currency, Timestamp};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// A gift card.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_card")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GiftCardId,
    pub code_digest: String,
    pub last4: String,
    /// Whose it is; nobody's until somebody claims it.
    pub user_id: Option<UserId>,
    pub currency: Currency,
    pub balance: i64,
    pub expires_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The one with this code.
pub async fn by_digest(db: &impl ConnectionTrait, digest: String) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::CodeDigest.eq(digest)).one(db).await
}

/// All of these users'.
pub async fn of_users(db: &impl ConnectionTrait, users: Vec<UserId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::UserId.is_in(users)).order_by_asc(Column::Id).all(db).await
}
