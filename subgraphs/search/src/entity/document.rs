//! Products as search sees them: the newest snapshot, with the numbers that change by themselves beside it.

use common::id::ProductId;
use events::products::ProductSnapshot;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// A product's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    pub version: i32,
    /// `events::products::ProductSnapshot` as JSON.
    #[sea_orm(column_type = "Text")]
    pub product: String,
    pub average_hundredths: i32,
    pub rating_count: i32,
    pub units_sold: i64,
    pub views: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All of them.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(db).await
}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<ProductId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::ProductId.is_in(ids)).all(db).await
}

/// Those with these ids, which nobody else writes until the transaction ends.
pub async fn by_ids_locked(tx: &impl ConnectionTrait, ids: Vec<ProductId>) -> Result<Vec<Model>, DbErr> {
    let found = Entity::find().filter(Column::ProductId.is_in(ids)).order_by_asc(Column::ProductId);
    match tx.get_database_backend() {
        // There is one writer at a time.
        sea_orm::DbBackend::Sqlite => found.all(tx).await,
        _ => found.lock_exclusive().all(tx).await,
    }
}

/// Some of them in the order of their ids, after one.
pub async fn page(
    db: &impl ConnectionTrait,
    after: Option<ProductId>,
    most: u64,
) -> Result<Vec<ProductId>, DbErr> {
    let rest = after.map(|after| Column::ProductId.gt(after));
    Entity::find()
        .select_only()
        .column(Column::ProductId)
        .filter(sea_orm::Condition::all().add_option(rest))
        .order_by_asc(Column::ProductId)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// How many there are up to one.
pub async fn count_until(db: &impl ConnectionTrait, last: ProductId) -> Result<u64, DbErr> {
    Entity::find().filter(Column::ProductId.lte(last)).count(db).await
}

/// How many there are.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().count(db).await
}

/// The row of a new snapshot.
pub fn row(product: &ProductSnapshot) -> Result<ActiveModel, serde_json::Error> {
    Ok(ActiveModel {
        product_id: Set(product.id),
        version: Set(product.version),
        product: Set(serde_json::to_string(product)?),
        average_hundredths: Set(product.average_hundredths),
        rating_count: Set(product.rating_count),
        units_sold: Set(0),
        views: Set(0),
    })
}

/// Keeps a snapshot, unless one as new is there; says whether it was kept.
pub async fn keep(db: &impl ConnectionTrait, product: &ProductSnapshot) -> Result<bool, DbErr> {
    let row = row(product).map_err(|error| DbErr::Custom(error.to_string()))?;
    let text = row.product.as_ref();
    let updated = Entity::update_many()
        .col_expr(Column::Version, Expr::value(product.version))
        .col_expr(Column::Product, Expr::value(text.clone()))
        .filter(Column::ProductId.eq(product.id))
        .filter(Column::Version.lt(product.version))
        .exec(db)
        .await?;
    if updated.rows_affected > 0 {
        return Ok(true);
    }
    let new = Entity::find_by_id(product.id).one(db).await?.is_none();
    if new {
        Entity::insert(row).exec_without_returning(db).await?;
    }
    Ok(new)
}

/// Keeps a product's rating, unless one of more ratings is there.
pub async fn rate(
    db: &impl ConnectionTrait,
    product: ProductId,
    average: i32,
    count: i32,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::AverageHundredths, Expr::value(average))
        .col_expr(Column::RatingCount, Expr::value(count))
        .filter(Column::ProductId.eq(product))
        .filter(Column::RatingCount.lt(count))
        .exec(db)
        .await
        .map(drop)
}

/// Counts units that were sold.
pub async fn sell(db: &impl ConnectionTrait, product: ProductId, units: i64) -> Result<(), DbErr> {
    add(db, product, Column::UnitsSold, units).await
}

/// Counts a look at a product.
pub async fn look(db: &impl ConnectionTrait, product: ProductId) -> Result<(), DbErr> {
    add(db, product, Column::Views, 1).await
}

async fn add(db: &impl ConnectionTrait, product: ProductId, column: Column, by: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(column, Expr::col(column).add(by))
        .filter(Column::ProductId.eq(product))
        .exec(db)
        .await
        .map(drop)
}
