//! What users chose, topic by topic; where they chose nothing, the topic's default holds.

use common::Fault;
use common::id::UserId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::domain::{Channels, Topic};

/// Through which channels a user wants to hear of a topic.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "preference")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: Topic,
    pub channels: Channels,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What these users chose, for those topics where they did.
pub async fn of_users(db: &impl ConnectionTrait, users: Vec<UserId>) -> Result<Vec<Model>, Fault> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Entity::find().filter(Column::UserId.is_in(users)).all(db).await?)
}

/// Keeps choices.
pub async fn keep(tx: &database::Tx, choices: Vec<Model>) -> Result<(), Fault> {
    if choices.is_empty() {
        return Ok(());
    }
    let key = OnConflict::columns([Column::UserId, Column::Topic]).update_column(Column::Channels).to_owned();
    let rows = choices.into_iter().map(ActiveModel::from);
    Entity::insert_many(rows).on_conflict(key).exec_without_returning(tx).await?;
    Ok(())
}
