//! Where to write to users: what `users` tells of them.

use common::Fault;
use common::id::UserId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// Where to write to a user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub email: String,
    pub locale: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where to write to this user.
pub async fn of(db: &impl ConnectionTrait, user: UserId) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(user).one(db).await?)
}

/// Keeps where to write to a user.
pub async fn keep(tx: &database::Tx, contact: Model) -> Result<(), Fault> {
    let known = OnConflict::column(Column::UserId).update_columns([Column::Email, Column::Locale]).to_owned();
    Entity::insert(ActiveModel::from(contact)).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}
