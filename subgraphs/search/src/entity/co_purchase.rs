//! How often two products were bought together, in both directions.

use common::id::ProductId;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};

/// Two products.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "co_purchase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub other_id: ProductId,
    pub times: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All of them.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(db).await
}

/// Those of these products.
pub async fn of_products(db: &impl ConnectionTrait, products: Vec<ProductId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::ProductId.is_in(products)).all(db).await
}

/// Counts pairs, each with how often it came.
pub async fn count(db: &impl ConnectionTrait, pairs: Vec<(ProductId, ProductId, i64)>) -> Result<(), DbErr> {
    for some in pairs.chunks(500) {
        let rows = some.iter().map(|(product, other, times)| ActiveModel {
            product_id: Set(*product),
            other_id: Set(*other),
            times: Set(*times),
        });
        let more = match db.get_database_backend() {
            sea_orm::DbBackend::MySql => Expr::col((Entity, Column::Times)).add(Expr::cust("VALUES(times)")),
            _ => Expr::col((Entity, Column::Times)).add(Expr::cust("excluded.times")),
        };
        let known =
            OnConflict::columns([Column::ProductId, Column::OtherId]).value(Column::Times, more).to_owned();
        Entity::insert_many(rows).on_conflict(known).exec_without_returning(db).await?;
    }
    Ok(())
}
