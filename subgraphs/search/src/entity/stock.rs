//! Whether variants can be bought.

use common::Timestamp;
use common::id::{ProductId, VariantId};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

/// A variant's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub available: bool,
    pub as_of: Timestamp,
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

/// Keeps what is known of a variant, unless something newer is there.
pub async fn keep(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let newer = ActiveModel { available: Set(row.available), as_of: Set(row.as_of), ..Default::default() };
    let updated = Entity::update_many()
        .set(newer)
        .filter(Column::VariantId.eq(row.variant_id))
        .filter(Column::AsOf.lte(row.as_of))
        .exec(db)
        .await?;
    if updated.rows_affected == 0 && Entity::find_by_id(row.variant_id).one(db).await?.is_none() {
        Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await?;
    }
    Ok(())
}
