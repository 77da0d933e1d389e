//! Reviews of products.

use common::Timestamp;
use common::id::{ProductId, ReviewId, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait as _, Query, SelectStatement};
use sea_orm::{Condition, FromQueryResult, QueryOrder as _, QuerySelect as _};

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewId,
    pub product_id: ProductId,
    pub author_id: UserId,
    pub rating: i32,
    pub title: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    pub verified: bool,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const COLUMNS: [Column; 8] = [
    Column::Id,
    Column::ProductId,
    Column::AuthorId,
    Column::Rating,
    Column::Title,
    Column::Body,
    Column::Verified,
    Column::CreatedAt,
];

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<ReviewId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// The newest `limit` of each of these products, in one statement.
pub async fn newest(
    db: &impl ConnectionTrait,
    products: Vec<ProductId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = Expr::cust("ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY created_at DESC, id DESC)");
    let ranked: SelectStatement = Query::select()
        .columns(COLUMNS)
        .expr_as(place, Alias::new("place"))
        .from(Entity)
        .and_where(Column::ProductId.is_in(products))
        .take();
    let newest = Query::select()
        .columns(COLUMNS)
        .from_subquery(ranked, Alias::new("ranked"))
        .and_where(Expr::col(Alias::new("place")).lte(limit))
        .order_by(Column::CreatedAt, sea_orm::Order::Desc)
        .order_by(Column::Id, sea_orm::Order::Desc)
        .take();
    Model::find_by_statement(db.get_database_backend().build(&newest)).all(db).await
}

/// Those of one product after a place in the order newest first.
pub async fn older_than(
    db: &impl ConnectionTrait,
    product: ProductId,
    (at, id): (Timestamp, ReviewId),
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let older = Condition::any()
        .add(Column::CreatedAt.lt(at))
        .add(Condition::all().add(Column::CreatedAt.eq(at)).add(Column::Id.lt(id)));
    Entity::find()
        .filter(Column::ProductId.eq(product))
        .filter(older)
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}
