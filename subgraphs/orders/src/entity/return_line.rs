//! What is in returns.

use common::id::{OrderLineId, ReturnId};
use sea_orm::entity::prelude::*;

/// A row: so many of a line in a return.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "return_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub return_id: ReturnId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_line_id: OrderLineId,
    pub quantity: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The rows of these returns.
pub async fn of_returns(db: &impl ConnectionTrait, returns: Vec<ReturnId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::ReturnId.is_in(returns)).all(db).await
}
