//! Password resets that were asked for, by the digest of the mailed token.

use common::id::UserId;
use common::{Fault, Timestamp};
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;

use crate::domain::secret::Digest;

/// A reset that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_reset")]
pub struct Model {
    /// SHA-256 of the token, in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One reset.
pub async fn find(db: &impl ConnectionTrait, digest: &Digest) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(digest.as_str().to_owned()).one(db).await?)
}

/// One reset, locked against other writers until the transaction ends.
pub async fn lock(tx: &database::Tx, digest: &Digest) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(digest.as_str().to_owned()).lock_exclusive().one(tx).await?)
}

/// How many a user has asked for since.
pub async fn asked_since(tx: &database::Tx, user: UserId, since: Timestamp) -> Result<u64, Fault> {
    Ok(Entity::find().filter(Column::UserId.eq(user)).filter(Column::CreatedAt.gt(since)).count(tx).await?)
}

/// Uses up all resets of a user: one new password is enough.
pub async fn use_up(tx: &database::Tx, user: UserId, now: Timestamp) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::UserId.eq(user))
        .filter(Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets resets that expired before `before`.
pub async fn forget(tx: &database::Tx, before: Timestamp) -> Result<(), Fault> {
    Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(tx).await?;
    Ok(())
}
