//! Shipments.

use common::Timestamp;
use common::id::{FulfillmentId, OrderId};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

use crate::domain::FulfillmentStatus;

/// A shipment's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fulfillment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FulfillmentId,
    pub order_id: OrderId,
    pub status: FulfillmentStatus,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
    pub tracking_url: Option<String>,
    pub shipped_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<FulfillmentId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those of these orders, oldest first.
pub async fn of_orders(db: &impl ConnectionTrait, orders: Vec<OrderId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrderId.is_in(orders)).order_by_asc(Column::Id).all(db).await
}
