//! What happened to orders: their timelines.

use common::Timestamp;
use common::id::OrderId;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{FromQueryResult as _, Iterable as _};

use crate::domain::OrderStatus;

/// An event's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub order_id: OrderId,
    pub happened_at: Timestamp,
    pub kind: String,
    pub from_status: Option<OrderStatus>,
    pub to_status: Option<OrderStatus>,
    pub actor: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Something that happened, to be written.
#[derive(Debug, Clone)]
pub struct New {
    /// To which order.
    pub order: OrderId,
    /// When.
    pub at: Timestamp,
    /// What, such as `ORDER_CONFIRMED`.
    pub kind: String,
    /// The state before and after, where it changed.
    pub change: Option<(OrderStatus, OrderStatus)>,
    /// Who did it; nobody for the shop itself.
    pub actor: Option<String>,
}

/// Writes what happened, in order.
pub async fn insert(tx: &database::Tx, events: Vec<New>) -> Result<(), DbErr> {
    let rows = events.into_iter().map(|event| ActiveModel {
        seq: NotSet,
        order_id: Set(event.order),
        happened_at: Set(event.at),
        kind: Set(event.kind),
        from_status: Set(event.change.map(|(from, _)| from)),
        to_status: Set(event.change.map(|(_, to)| to)),
        actor: Set(event.actor),
    });
    Entity::insert_many(rows).exec_without_returning(tx).await.map(drop)
}

/// The first `limit` events of each of these orders, oldest first, in one statement.
pub async fn of_orders(
    db: &impl ConnectionTrait,
    orders: Vec<OrderId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = Expr::cust("ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY seq)");
    let ranked: SelectStatement = Query::select()
        .columns(Column::iter())
        .expr_as(place, Alias::new("place"))
        .from(Entity)
        .and_where(Column::OrderId.is_in(orders))
        .take();
    let first = Query::select()
        .columns(Column::iter())
        .from_subquery(ranked, Alias::new("ranked"))
        .and_where(Expr::col(Alias::new("place")).lte(limit))
        .order_by(Column::Seq, sea_orm::Order::Asc)
        .take();
    Model::find_by_statement(db.get_database_backend().build(&first)).all(db).await
}
