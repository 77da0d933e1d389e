//! What was sold, by hour and currency.

use common::{Currency, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};

/// An hour in a currency.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sales_point")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hour: Timestamp,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: Currency,
    pub orders: i64,
    pub units: i64,
    pub gross_minor: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those of a currency from one time until before another, in order.
pub async fn between(
    db: &impl ConnectionTrait,
    currency: Currency,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Currency.eq(currency))
        .filter(Column::Hour.gte(from))
        .filter(Column::Hour.lt(to))
        .order_by_asc(Column::Hour)
        .all(db)
        .await
}

/// Adds to what was sold.
pub async fn add(db: &impl ConnectionTrait, points: Vec<Model>) -> Result<(), DbErr> {
    for point in points {
        let more = |column: Column, by: i64| Expr::col((Entity, column)).add(by);
        let known = OnConflict::columns([Column::Hour, Column::Currency])
            .value(Column::Orders, more(Column::Orders, point.orders))
            .value(Column::Units, more(Column::Units, point.units))
            .value(Column::GrossMinor, more(Column::GrossMinor, point.gross_minor))
            .to_owned();
        let row = ActiveModel {
            hour: Set(point.hour),
            currency: Set(point.currency),
            orders: Set(point.orders),
            units: Set(point.units),
            gross_minor: Set(point.gross_minor),
        };
        Entity::insert(row).on_conflict(known).exec_without_returning(db).await?;
    }
    Ok(())
}
