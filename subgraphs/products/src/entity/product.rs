//! Products. What is searched or sorted by has a column; the rest is one JSON document, read whole.

use common::Timestamp;
use common::id::{CategoryId, ProductId};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

/// A product's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductId,
    pub version: i32,
    pub slug: String,
    pub status: String,
    pub brand: Option<String>,
    pub category_id: Option<CategoryId>,
    /// `domain::Details` as JSON.
    #[sea_orm(column_type = "Text")]
    pub details: String,
    pub rating_sum: i64,
    pub rating_count: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<ProductId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those with these slugs.
pub async fn by_slugs(db: &impl ConnectionTrait, slugs: Vec<String>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Slug.is_in(slugs)).all(db).await
}

/// The active ones of some categories, newest first, after a place in that order.
pub async fn in_categories(
    db: &impl ConnectionTrait,
    categories: Vec<CategoryId>,
    after: Option<(Timestamp, ProductId)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find()
        .filter(Column::CategoryId.is_in(categories))
        .filter(Column::Status.eq("ACTIVE"))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit);
    if let Some((at, id)) = after {
        let older = Condition::any()
            .add(Column::CreatedAt.lt(at))
            .add(Condition::all().add(Column::CreatedAt.eq(at)).add(Column::Id.lt(id)));
        query = query.filter(older);
    }
    query.all(db).await
}

/// A product that is about to be changed in `tx`, locked.
pub async fn lock(tx: &database::Tx, id: ProductId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await
}
