//! Where stock lies.

use common::id::StockLocationId;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// A warehouse or a shop.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_location")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockLocationId,
    pub code: String,
    pub name: String,
    pub country_code: String,
    /// Whether it sends goods to other countries than its own.
    pub ships_abroad: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether it sends goods there.
    pub fn ships_to(&self, country: &str) -> bool {
        self.ships_abroad || self.country_code == country
    }
}

/// All of them, by their codes.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Code).all(db).await
}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<StockLocationId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}
