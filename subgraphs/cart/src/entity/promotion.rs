//! Promotions.

use common::id::PromotionId;
use common::{Fault, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;

use crate::domain::Promotion;

/// A promotion's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PromotionId,
    /// In upper case; nothing for a promotion that needs none.
    pub code: Option<String>,
    pub priority: i32,
    pub exclusive: bool,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub usage_limit: Option<i32>,
    pub used: i32,
    /// `domain::Terms` as JSON.
    #[sea_orm(column_type = "Text")]
    pub terms: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All of them that have not ended.
pub async fn not_ended(db: &impl ConnectionTrait, now: Timestamp) -> Result<Vec<Promotion>, Fault> {
    let rows = Entity::find().filter(Column::EndsAt.is_null().or(Column::EndsAt.gt(now))).all(db).await?;
    rows.into_iter().map(Promotion::try_from).collect()
}

/// Counts one more use; false where the limit is reached.
pub async fn take(tx: &database::Tx, id: PromotionId) -> Result<bool, DbErr> {
    let taken = Entity::update_many()
        .col_expr(Column::Used, Expr::col(Column::Used).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::UsageLimit.is_null().or(Expr::col(Column::Used).lt(Expr::col(Column::UsageLimit))))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected > 0)
}

/// Takes one use back.
pub async fn give_back(tx: &database::Tx, id: PromotionId) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Used, Expr::col(Column::Used).sub(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Used.gt(0))
        .exec(tx)
        .await?;
    Ok(())
}

/// A promotion as it is stored.
pub fn row(promotion: &Promotion) -> Result<ActiveModel, Fault> {
    Ok(ActiveModel::from(Model {
        id: promotion.id,
        code: promotion.code.clone(),
        priority: promotion.priority,
        exclusive: promotion.exclusive,
        starts_at: promotion.starts_at,
        ends_at: promotion.ends_at,
        usage_limit: promotion.usage_limit,
        used: promotion.used,
        terms: serde_json::to_string(&promotion.terms).map_err(Fault::internal)?,
    }))
}

impl TryFrom<Model> for Promotion {
    type Error = Fault;

    fn try_from(row: Model) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            code: row.code,
            priority: row.priority,
            exclusive: row.exclusive,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            usage_limit: row.usage_limit,
            used: row.used,
            terms: serde_json::from_str(&row.terms).map_err(Fault::internal)?,
        })
    }
}
