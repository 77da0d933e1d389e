//! Who bought what, as far as reviews need to know; written by events of `orders`.

use common::id::{ProductId, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// A user bought a product at least once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "purchase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whether the user bought the product.
pub async fn exists(db: &impl ConnectionTrait, user: UserId, product: ProductId) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id((user, product)).one(db).await?.is_some())
}

/// Records purchases; those that are known are left alone.
pub async fn record(db: &impl ConnectionTrait, purchases: Vec<(UserId, ProductId)>) -> Result<(), DbErr> {
    if purchases.is_empty() {
        return Ok(());
    }
    let rows = purchases
        .into_iter()
        .map(|(user, product)| ActiveModel { user_id: Set(user), product_id: Set(product) });
    let known = OnConflict::columns([Column::UserId, Column::ProductId])
        .do_nothing_on([Column::UserId, Column::ProductId])
        .to_owned();
    match Entity::insert_many(rows).on_conflict(known).exec_without_returning(db).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error),
    }
}
