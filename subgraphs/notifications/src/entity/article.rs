//! Names of what can be bought: what `products` tells of its variants.

use common::Fault;
use common::id::VariantId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// The names of a variant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "article")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    /// Of the product that it was read from.
    pub version: i32,
    /// A JSON object of names by locale; `en` is always there.
    #[sea_orm(column_type = "Text")]
    pub titles: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The name of a variant of a product with so many of them.
pub fn name(product: &str, variant: &str, variants: usize) -> String {
    if variants == 1 { product.to_owned() } else { format!("{product} – {variant}") }
}

/// The names of this variant.
pub async fn of(db: &impl ConnectionTrait, variant: VariantId) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(variant).one(db).await?)
}

/// Keeps names, unless newer ones are there.
pub async fn keep(tx: &database::Tx, articles: Vec<Model>) -> Result<(), Fault> {
    let ids: Vec<VariantId> = articles.iter().map(|article| article.variant_id).collect();
    let known = Entity::find().filter(Column::VariantId.is_in(ids)).all(tx).await?;
    let newer = |article: &Model| {
        known.iter().any(|row| row.variant_id == article.variant_id && row.version > article.version)
    };
    let rows: Vec<ActiveModel> =
        articles.into_iter().filter(|article| !newer(article)).map(ActiveModel::from).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let key =
        OnConflict::column(Column::VariantId).update_columns([Column::Version, Column::Titles]).to_owned();
    Entity::insert_many(rows).on_conflict(key).exec_without_returning(tx).await?;
    Ok(())
}
