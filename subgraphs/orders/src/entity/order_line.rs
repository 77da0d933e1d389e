//! Lines of orders.

use common::id::{CartLineId, OrderId, OrderLineId, ProductId, VariantId};
use common::{Currency, Money};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};

use crate::domain::LineQuantities;

/// A line's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrderLineId,
    pub order_id: OrderId,
    pub position: i32,
    pub cart_line_id: Option<CartLineId>,
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub sku: String,
    pub title: String,
    pub quantity: i32,
    pub fulfilled: i32,
    pub returned: i32,
    pub cancelled: i32,
    pub currency: Currency,
    pub unit_price: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// An amount in the order's currency.
    pub const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What was ordered, sent, returned and cancelled.
    pub const fn quantities(&self) -> LineQuantities {
        LineQuantities {
            ordered: self.quantity,
            fulfilled: self.fulfilled,
            returned: self.returned,
            cancelled: self.cancelled,
        }
    }
}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<OrderLineId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those of these orders, in the orders' order.
pub async fn of_orders(db: &impl ConnectionTrait, orders: Vec<OrderId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::OrderId.is_in(orders))
        .order_by_asc(Column::OrderId)
        .order_by_asc(Column::Position)
        .all(db)
        .await
}

/// Writes new ones.
pub async fn insert(tx: &database::Tx, rows: Vec<Model>) -> Result<(), DbErr> {
    Entity::insert_many(rows.into_iter().map(ActiveModel::from)).exec_without_returning(tx).await.map(drop)
}

/// Counts some of a line as sent.
pub async fn add_fulfilled(tx: &database::Tx, id: OrderLineId, quantity: i32) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Fulfilled, Expr::col(Column::Fulfilled).add(quantity))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await
        .map(drop)
}

/// Counts what is left to send of an order as cancelled.
pub async fn cancel_open(tx: &database::Tx, order: OrderId) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Cancelled, Expr::col(Column::Quantity).sub(Expr::col(Column::Fulfilled)))
        .filter(Column::OrderId.eq(order))
        .exec(tx)
        .await
        .map(drop)
}
