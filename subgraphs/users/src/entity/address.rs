//! The address book.

use common::id::{AddressId, UserId};
use common::{Fault, PageArgs, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::access::Reach;
use crate::domain::address::AddressKind;

/// An address in a user's address book.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "address")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub user_id: UserId,
    pub kind: AddressKind,
    pub recipient: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub phone: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those of these addresses that lie within the viewer's reach.
pub async fn within(
    db: &impl ConnectionTrait,
    reach: Reach,
    ids: Vec<AddressId>,
) -> Result<Vec<Model>, Fault> {
    let found = Entity::find().filter(Column::Id.is_in(ids));
    let found = match reach {
        Reach::Everybody => found,
        Reach::Own(user) => found.filter(Column::UserId.eq(user)),
        Reach::Nobody => return Ok(Vec::new()),
    };
    Ok(found.all(db).await?)
}

/// A page of a user's addresses, oldest first. The caller has checked that the viewer reaches the user.
pub async fn page_of(db: &impl ConnectionTrait, user: UserId, page: &PageArgs) -> Result<Vec<Model>, Fault> {
    let mut found = Entity::find().filter(Column::UserId.eq(user));
    if let Some(after) = &page.after {
        found = found.filter(Column::Id.gt(after.key::<AddressId>(0, 1)?));
    }
    Ok(found.order_by_asc(Column::Id).limit(page.limit()).all(db).await?)
}

/// All of a user's addresses, oldest first, for a transaction that holds the user's row.
pub async fn all_of(tx: &database::Tx, user: UserId) -> Result<Vec<Model>, Fault> {
    Ok(Entity::find().filter(Column::UserId.eq(user)).order_by_asc(Column::Id).all(tx).await?)
}
