//! How often what is known of a product changed, and whether the search engine has the newest of it.
//!
//! A row is written in the transaction that changes the product, so that nothing is lost between its commit and the
//! engine. Without an engine there are no rows; a product without one has the revision 1.

use std::collections::HashMap;

use common::id::ProductId;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// The revision of a product that never changed since rows are written.
pub const FIRST: i64 = 1;

/// A product's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    /// Rises with every change.
    pub revision: i64,
    /// Whether the engine is to be told.
    pub pending: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Notes that these products changed.
pub async fn raise(db: &impl ConnectionTrait, mut products: Vec<ProductId>) -> Result<(), DbErr> {
    // In one order, so that writers of the same products wait for each other instead of dead-locking.
    products.sort_unstable();
    products.dedup();
    for some in products.chunks(500) {
        let rows = some.iter().map(|product| ActiveModel {
            product_id: Set(*product),
            revision: Set(FIRST + 1),
            pending: Set(true),
        });
        let known = OnConflict::column(Column::ProductId)
            .value(Column::Revision, Expr::col((Entity, Column::Revision)).add(1))
            .value(Column::Pending, true)
            .to_owned();
        Entity::insert_many(rows).on_conflict(known).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Products that the engine is to be told of, with their revisions.
pub async fn pending(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Pending.eq(true)).order_by_asc(Column::ProductId).limit(most).all(db).await
}

/// The revisions of products, as far as they have rows.
pub async fn of_products(
    db: &impl ConnectionTrait,
    products: Vec<ProductId>,
) -> Result<HashMap<ProductId, i64>, DbErr> {
    let rows = Entity::find().filter(Column::ProductId.is_in(products)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.revision)).collect())
}

/// Notes that the engine was told of these revisions; products that changed meanwhile stay pending.
pub async fn told(db: &impl ConnectionTrait, rows: &[Model]) -> Result<(), DbErr> {
    for some in rows.chunks(200) {
        let any = some.iter().fold(sea_orm::Condition::any(), |any, row| {
            any.add(Column::ProductId.eq(row.product_id).and(Column::Revision.eq(row.revision)))
        });
        Entity::update_many().col_expr(Column::Pending, Expr::value(false)).filter(any).exec(db).await?;
    }
    Ok(())
}
