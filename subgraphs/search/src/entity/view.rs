//! Who looked at what, the last time.

use common::Timestamp;
use common::id::{ProductId, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// A user's last look at a product.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product_view")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    pub viewed_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a user looked at, the latest first. Only for the user's own eyes: callers pass the viewer's id.
pub async fn latest(db: &impl ConnectionTrait, user: UserId, limit: u64) -> Result<Vec<ProductId>, DbErr> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user))
        .order_by_desc(Column::ViewedAt)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}

/// Records a look.
pub async fn record(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let known =
        OnConflict::columns([Column::UserId, Column::ProductId]).update_column(Column::ViewedAt).to_owned();
    let row = ActiveModel {
        user_id: Set(row.user_id),
        product_id: Set(row.product_id),
        viewed_at: Set(row.viewed_at),
    };
    Entity::insert(row).on_conflict(known).exec_without_returning(db).await.map(drop)
}
