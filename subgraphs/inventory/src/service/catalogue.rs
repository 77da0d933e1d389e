//! What of the catalogue stock must know: which variants there are, and of which products.

use common::Fault;
use database::Tx;
use events::products::ProductSnapshot;
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::OnConflict;

use crate::domain::BackorderPolicy;
use crate::entity::stock_item::{ActiveModel, Column, Entity, Model};

/// Notes the variants of a product. A variant never changes its product, so what is known is left alone, and an older
/// event does no harm.
pub async fn note_product(tx: &Tx, product: &ProductSnapshot) -> Result<(), Fault> {
    if product.variants.is_empty() {
        return Ok(());
    }
    let rows = product.variants.iter().map(|variant| {
        ActiveModel::from(Model {
            variant_id: variant.id,
            product_id: product.id,
            tracked: true,
            backorder: BackorderPolicy::Deny,
            out_of_stock_threshold: 0,
            restock_at: None,
        })
    });
    let known = OnConflict::column(Column::VariantId).do_nothing_on([Column::VariantId]).to_owned();
    match Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await {
        Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
