//! Who an account is at an identity provider.

use common::id::UserId;
use common::{Fault, Timestamp};
use sea_orm::entity::prelude::*;

use crate::domain::secret::Digest;

/// A subject of a provider, and whose account it is.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    /// SHA-256 of issuer and subject, in hex: both may be long, and one is compared letter by letter.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub user_id: UserId,
    /// For people who look at the table.
    pub issuer: String,
    pub subject: String,
    pub linked_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whose account this is.
pub async fn user_of(db: &impl ConnectionTrait, identity: &Digest) -> Result<Option<UserId>, Fault> {
    let row = Entity::find_by_id(identity.as_str().to_owned()).one(db).await?;
    Ok(row.map(|row| row.user_id))
}
