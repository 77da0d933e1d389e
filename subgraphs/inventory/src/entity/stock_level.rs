//! How much of a variant lies in a location.

use common::Timestamp;
use common::id::{StockLocationId, VariantId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, JoinType, Query};
use sea_orm::{FromQueryResult as _, Iterable as _, Order, QueryOrder as _, QueryResult};
use serde::{Deserialize, Serialize};

use super::stock_item;
use crate::domain::Policy;

/// The stock of one variant in one location. The table itself refuses numbers below zero, and a promise of more than is
/// there unless `oversell`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_level")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub location_id: StockLocationId,
    /// What lies there.
    pub on_hand: i32,
    /// What is set aside for checkouts under way.
    pub reserved: i32,
    /// What is promised to orders that are paid for and not sent.
    pub allocated: i32,
    /// Whether more may be promised than lies there: the variant's policy, repeated for the table's own check.
    pub oversell: bool,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A change of a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shift {
    pub on_hand: i32,
    pub reserved: i32,
    pub allocated: i32,
}

impl Model {
    /// An empty level.
    pub fn empty(variant_id: VariantId, location_id: StockLocationId, policy: &Policy) -> Self {
        let oversell = policy.may_oversell();
        Self { variant_id, location_id, on_hand: 0, reserved: 0, allocated: 0, oversell, version: 1 }
    }

    /// What lies there and is promised to nobody.
    pub fn free(&self) -> i64 {
        i64::from(self.on_hand) - i64::from(self.allocated) - i64::from(self.reserved)
    }

    /// The level after a change.
    pub fn shifted(&self, shift: Shift) -> Self {
        Self {
            on_hand: self.on_hand.saturating_add(shift.on_hand),
            reserved: self.reserved.saturating_add(shift.reserved),
            allocated: self.allocated.saturating_add(shift.allocated),
            version: self.version.wrapping_add(1),
            ..self.clone()
        }
    }
}

/// The levels of these variants, by variant and location.
pub async fn of_variants(db: &impl ConnectionTrait, ids: Vec<VariantId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::VariantId.is_in(ids))
        .order_by_asc(Column::VariantId)
        .order_by_asc(Column::LocationId)
        .all(db)
        .await
}

/// A level with its item; the item alone where there is no level.
pub struct Stocked {
    pub item: stock_item::Model,
    pub level: Option<Model>,
    /// How many reservations of the item have run out and still hold stock.
    pub lapsed: i64,
}

/// Stands before the names of a level's columns where there are others.
const LEVEL: &str = "l_";

/// The items and levels of these variants, locked in the order of their keys.
pub async fn lock_with_items(
    tx: &database::Tx,
    ids: Vec<VariantId>,
    now: Timestamp,
) -> Result<Vec<Stocked>, DbErr> {
    let mut select = Query::select();
    for column in stock_item::Column::iter() {
        select.expr_as(column.into_expr(), Alias::new(column.as_str()));
    }
    for column in Column::iter() {
        select.expr_as(column.into_expr(), Alias::new(format!("{LEVEL}{}", column.as_str())));
    }
    let lapsed = "(SELECT COUNT(*) FROM reservation r WHERE r.variant_id = stock_item.variant_id \
                  AND r.state = 'ACTIVE' AND r.expires_at <= ?)";
    let of_item =
        Expr::col(Column::VariantId.as_column_ref()).equals(stock_item::Column::VariantId.as_column_ref());
    select
        .expr_as(Expr::cust_with_values(lapsed, [now.0]), Alias::new("lapsed"))
        .from(stock_item::Entity)
        .join(JoinType::LeftJoin, Entity, of_item)
        .and_where(stock_item::Column::VariantId.is_in(ids))
        .order_by(stock_item::Column::VariantId.as_column_ref(), Order::Asc)
        .order_by(Column::LocationId.as_column_ref(), Order::Asc)
        .lock_exclusive();
    let stocked = |row: &QueryResult| {
        let level = match row.try_get::<Option<StockLocationId>>(LEVEL, Column::LocationId.as_str())? {
            Some(_) => Some(Model::from_query_result(row, LEVEL)?),
            None => None,
        };
        Ok(Stocked {
            item: stock_item::Model::from_query_result(row, "")?,
            level,
            lapsed: row.try_get("", "lapsed")?,
        })
    };
    tx.query_all(&select).await?.iter().map(stocked).collect()
}

/// Changes a level if what comes out is possible; says whether it did.
pub async fn shift(
    tx: &database::Tx,
    variant: VariantId,
    location: StockLocationId,
    shift: Shift,
) -> Result<bool, DbErr> {
    let moved = |column: Column, by: i32| Expr::col(column).add(by);
    let free = Expr::col(Column::OnHand).sub(Expr::col(Column::Allocated)).sub(Expr::col(Column::Reserved));
    let freed = shift.on_hand.saturating_sub(shift.allocated).saturating_sub(shift.reserved);
    let changed = Entity::update_many()
        .col_expr(Column::OnHand, moved(Column::OnHand, shift.on_hand))
        .col_expr(Column::Reserved, moved(Column::Reserved, shift.reserved))
        .col_expr(Column::Allocated, moved(Column::Allocated, shift.allocated))
        .col_expr(Column::Version, moved(Column::Version, 1))
        .filter(Column::VariantId.eq(variant))
        .filter(Column::LocationId.eq(location))
        .filter(moved(Column::OnHand, shift.on_hand).gte(0))
        .filter(moved(Column::Reserved, shift.reserved).gte(0))
        .filter(moved(Column::Allocated, shift.allocated).gte(0))
        .filter(Expr::col(Column::Oversell).eq(true).or(free.gte(freed.saturating_neg())))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}
