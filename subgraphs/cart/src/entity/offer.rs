//! Offers: the catalogue's variants as carts need them, written by events of `products`.

use common::Fault;
use common::id::{CategoryId, ProductId, VariantId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{FromQueryResult, QuerySelect as _};

use crate::domain::{Offer, OfferDetails, TaxClass};

/// An offer's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    pub product_id: ProductId,
    /// The product's version that this was taken from.
    pub version: i32,
    pub sku: String,
    pub tax_class: String,
    pub active: bool,
    pub weight_grams: i32,
    /// `domain::OfferDetails` as JSON.
    #[sea_orm(column_type = "Text")]
    pub details: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those of these variants.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<VariantId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::VariantId.is_in(ids)).all(db).await
}

/// Where a variant stands in the catalogue.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Place {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    details: String,
}

impl Place {
    /// Its category and those above.
    pub fn categories(&self) -> Result<Vec<CategoryId>, Fault> {
        let details: OfferDetails = serde_json::from_str(&self.details).map_err(Fault::internal)?;
        Ok(details.categories)
    }
}

/// Where these variants stand in the catalogue.
pub async fn places(db: &impl ConnectionTrait, ids: Vec<VariantId>) -> Result<Vec<Place>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::VariantId, Column::ProductId, Column::Details])
        .filter(Column::VariantId.is_in(ids))
        .into_model::<Place>()
        .all(db)
        .await
}

/// The variants of a product with the version that each was taken from, locked.
pub async fn lock_versions(tx: &database::Tx, product: ProductId) -> Result<Vec<(VariantId, i32)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::VariantId, Column::Version])
        .filter(Column::ProductId.eq(product))
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await
}

/// Writes offers over those that are there.
pub async fn replace(tx: &database::Tx, offers: &[Offer]) -> Result<(), Fault> {
    if offers.is_empty() {
        return Ok(());
    }
    let rows = offers.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
    let known = OnConflict::column(Column::VariantId)
        .update_columns([
            Column::ProductId,
            Column::Version,
            Column::Sku,
            Column::TaxClass,
            Column::Active,
            Column::WeightGrams,
            Column::Details,
        ])
        .to_owned();
    Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// Takes variants off the market that their product does not have any more.
pub async fn withdraw(tx: &database::Tx, variants: Vec<VariantId>, version: i32) -> Result<(), DbErr> {
    if variants.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::Active, Expr::value(false))
        .col_expr(Column::Version, Expr::value(version))
        .filter(Column::VariantId.is_in(variants))
        .exec(tx)
        .await?;
    Ok(())
}

/// An offer as it is stored.
pub fn row(offer: &Offer) -> Result<ActiveModel, Fault> {
    Ok(ActiveModel::from(Model {
        variant_id: offer.variant,
        product_id: offer.product,
        version: offer.version,
        sku: offer.sku.clone(),
        tax_class: offer.tax_class.as_str().to_owned(),
        active: offer.active,
        weight_grams: offer.weight_grams,
        details: serde_json::to_string(&offer.details).map_err(Fault::internal)?,
    }))
}

impl TryFrom<Model> for Offer {
    type Error = Fault;

    fn try_from(row: Model) -> Result<Self, Fault> {
        Ok(Self {
            variant: row.variant_id,
            product: row.product_id,
            version: row.version,
            sku: row.sku,
            tax_class: TaxClass::parse(&row.tax_class),
            active: row.active,
            weight_grams: row.weight_grams,
            details: serde_json::from_str(&row.details).map_err(Fault::internal)?,
        })
    }
}
