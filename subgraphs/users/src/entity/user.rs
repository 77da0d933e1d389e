//! Accounts.

use common::id::{AddressId, UserId};
use common::{Fault, Timestamp};
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;

use crate::domain::email::Email;
use crate::domain::role::Roles;

/// A customer or a member of staff.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Rises with every change.
    pub version: i32,
    /// Normalised, and unique.
    pub email: String,
    pub email_verified: bool,
    pub phone: Option<String>,
    /// What others see, under a review for example.
    pub display_name: Option<String>,
    pub locale: String,
    pub roles: Roles,
    /// In PHC form; nobody can log in by password without.
    pub password_hash: Option<String>,
    pub default_shipping_address: Option<AddressId>,
    pub default_billing_address: Option<AddressId>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// These users. Which of their fields the viewer may read is decided field by field.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<UserId>) -> Result<Vec<Model>, Fault> {
    Ok(Entity::find().filter(Column::Id.is_in(ids)).all(db).await?)
}

/// One user.
pub async fn by_id(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// One user, locked against other writers until the transaction ends.
pub async fn lock(tx: &database::Tx, id: UserId) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Whose address this is.
pub async fn by_email(db: &impl ConnectionTrait, email: &Email) -> Result<Option<Model>, Fault> {
    Ok(Entity::find().filter(Column::Email.eq(email.as_str())).one(db).await?)
}
