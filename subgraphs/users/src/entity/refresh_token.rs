//! Refresh tokens, by digest: the text of a token is known to its bearer alone.

use common::id::SessionId;
use common::{Fault, Timestamp};
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;

use crate::domain::secret::Digest;

/// A refresh token. Used ones stay as long as their session, so that a second use is recognised.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token, in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub session_id: SessionId,
    pub issued_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One token, locked against other writers until the transaction ends.
pub async fn lock(tx: &database::Tx, digest: &Digest) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(digest.as_str().to_owned()).lock_exclusive().one(tx).await?)
}

/// Marks a token as used.
pub async fn mark_used(tx: &database::Tx, digest: &Digest, now: Timestamp) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Digest.eq(digest.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}
