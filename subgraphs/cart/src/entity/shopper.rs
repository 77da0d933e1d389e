//! Shoppers: the users as carts need them, written by events of `users`. A shopper's row is also what two requests of
//! the same user wait for each other at.

use common::id::UserId;
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// A shopper's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shopper")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Missing until the event of the registration came.
    pub email: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where to write to a user.
pub async fn email_of(db: &impl ConnectionTrait, user: UserId) -> Result<Option<String>, DbErr> {
    Ok(Entity::find_by_id(user).one(db).await?.and_then(|shopper| shopper.email))
}

/// The user's row, made where missing, locked until the end of `tx`.
pub async fn lock(tx: &database::Tx, user: UserId) -> Result<Model, DbErr> {
    if let Some(known) = Entity::find_by_id(user).lock_exclusive().one(tx).await? {
        return Ok(known);
    }
    let known = OnConflict::column(Column::UserId).do_nothing_on([Column::UserId]).to_owned();
    let row = ActiveModel { user_id: Set(user), email: Set(None) };
    match Entity::insert(row).on_conflict(known).exec_without_returning(tx).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error),
    }
    let row = Entity::find_by_id(user).lock_exclusive().one(tx).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the shopper that was just written".to_owned()))
}

/// Writes where to write to a user.
pub async fn put(tx: &database::Tx, user: UserId, email: String) -> Result<(), DbErr> {
    let known = OnConflict::column(Column::UserId).update_column(Column::Email).to_owned();
    let row = ActiveModel { user_id: Set(user), email: Set(Some(email)) };
    Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}
