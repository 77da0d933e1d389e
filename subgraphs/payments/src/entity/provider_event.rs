//! What the provider told us by itself, each event once.

use common::Timestamp;
use sea_orm::entity::prelude::*;

/// An event of a provider that was applied.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    pub at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Records an event; says whether it is the first time.
pub async fn first_time(tx: &database::Tx, event: Model) -> Result<bool, DbErr> {
    match Entity::insert(ActiveModel::from(event)).exec_without_returning(tx).await {
        Ok(_) => Ok(true),
        Err(error) if database::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
