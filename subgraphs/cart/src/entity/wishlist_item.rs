//! What stands on wish lists.

use common::Timestamp;
use common::id::{VariantId, WishlistId};
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// A variant on a wish list.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wishlist_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub wishlist_id: WishlistId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    pub added_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What stands on these lists, oldest first.
pub async fn of_lists(db: &impl ConnectionTrait, lists: Vec<WishlistId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::WishlistId.is_in(lists))
        .order_by_asc(Column::AddedAt)
        .order_by_asc(Column::VariantId)
        .all(db)
        .await
}

/// Puts a variant on a list, unless it stands there.
pub async fn put(tx: &database::Tx, item: Model) -> Result<(), DbErr> {
    let known = OnConflict::columns([Column::WishlistId, Column::VariantId])
        .do_nothing_on([Column::WishlistId, Column::VariantId])
        .to_owned();
    match Entity::insert(ActiveModel::from(item)).on_conflict(known).exec_without_returning(tx).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error),
    }
}
