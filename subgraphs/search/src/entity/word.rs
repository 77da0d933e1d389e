//! The words of products, for searches while the engine is away.

use common::id::ProductId;
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};

/// Letters of a word that are kept.
pub const LONGEST: usize = 40;

/// A word of a product.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "word")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Replaces the words of products.
pub async fn replace(
    db: &impl ConnectionTrait,
    products: Vec<ProductId>,
    words: Vec<Model>,
) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ProductId.is_in(products)).exec(db).await?;
    for some in words.chunks(500) {
        let rows = some
            .iter()
            .map(|row| ActiveModel { word: Set(row.word.clone()), product_id: Set(row.product_id) });
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Products that have, for each of these beginnings, a word that begins so.
pub async fn products_with(
    db: &impl ConnectionTrait,
    beginnings: &[String],
    most: u64,
) -> Result<Vec<ProductId>, DbErr> {
    // The longest is likely to leave the fewest.
    let mut beginnings: Vec<&str> = beginnings.iter().map(String::as_str).collect();
    beginnings.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let Some((first, others)) = beginnings.split_first() else { return Ok(Vec::new()) };
    let mut found = Entity::find().select_only().column(Column::ProductId).distinct().filter(begins(first));
    for other in others {
        found = found.filter(Column::ProductId.in_subquery(with(other)));
    }
    found.limit(most).into_tuple().all(db).await
}

fn with(beginning: &str) -> SelectStatement {
    Query::select().column(Column::ProductId).from(Entity).cond_where(begins(beginning)).take()
}

/// A range of the index, which LIKE would not be on every database.
fn begins(with: &str) -> sea_orm::Condition {
    let end = format!("{with}{}", char::MAX);
    sea_orm::Condition::all().add(Column::Word.gte(with)).add(Column::Word.lt(end))
}
