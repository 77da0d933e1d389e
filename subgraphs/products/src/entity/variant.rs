//! Variants of products.

use common::id::{ProductId, VariantId};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

/// A variant's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "variant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VariantId,
    pub product_id: ProductId,
    pub sku: String,
    pub position: i32,
    pub tax_class: String,
    pub weight_grams: Option<i32>,
    /// `domain::VariantDetails` as JSON.
    #[sea_orm(column_type = "Text")]
    pub details: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<VariantId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those with these stock keeping units.
pub async fn by_skus(db: &impl ConnectionTrait, skus: Vec<String>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Sku.is_in(skus)).all(db).await
}

/// Puts another document into a variant's row.
pub async fn store_details(tx: &database::Tx, id: VariantId, details: String) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Details, Expr::value(details))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await
        .map(drop)
}

/// All of these products, in the order in which they are shown.
pub async fn of_products(db: &impl ConnectionTrait, products: Vec<ProductId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::ProductId.is_in(products)).order_by_asc(Column::Position).all(db).await
}
