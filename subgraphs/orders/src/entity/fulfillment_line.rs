//! What is in shipments.

use common::id::{FulfillmentId, OrderLineId};
use sea_orm::entity::prelude::*;

/// A row: so many of a line in a shipment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fulfillment_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub fulfillment_id: FulfillmentId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_line_id: OrderLineId,
    pub quantity: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The rows of these shipments.
pub async fn of_fulfillments(
    db: &impl ConnectionTrait,
    fulfillments: Vec<FulfillmentId>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::FulfillmentId.is_in(fulfillments)).all(db).await
}
