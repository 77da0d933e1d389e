//! Wish lists: personal, found by their owner alone.

use common::Timestamp;
use common::id::{UserId, WishlistId};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// A wish list's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wishlist")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WishlistId,
    pub owner_id: UserId,
    pub name: String,
    pub share_token: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Most wish lists of a user.
const MOST: u64 = 100;

/// The owner's lists, oldest first.
pub async fn of_owner(db: &impl ConnectionTrait, owner: UserId) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::OwnerId.eq(owner))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(MOST)
        .all(db)
        .await
}

/// Those of the owner with these ids.
pub async fn by_ids(
    db: &impl ConnectionTrait,
    owner: UserId,
    ids: Vec<WishlistId>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OwnerId.eq(owner)).filter(Column::Id.is_in(ids)).all(db).await
}
