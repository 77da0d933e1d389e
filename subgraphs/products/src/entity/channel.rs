//! Sales channels. Their lists are JSON arrays: they are read whole and never searched.

use common::Currency;
use common::id::ChannelId;
use sea_orm::entity::prelude::*;

/// A sales channel.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChannelId,
    pub code: String,
    pub default_currency: Currency,
    #[sea_orm(column_type = "Text")]
    pub currencies: String,
    #[sea_orm(column_type = "Text")]
    pub locales: String,
    #[sea_orm(column_type = "Text")]
    pub countries: String,
    pub prices_include_tax: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All of them. There are few.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(db).await
}
