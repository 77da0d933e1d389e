//! Webhook endpoints of partners.

use common::id::WebhookId;
use common::{Fault, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// Where a partner wants to be told of events.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    pub url: String,
    /// A JSON array of names of events.
    #[sea_orm(column_type = "Text")]
    pub events: String,
    /// Signs what is sent there. Shown once, when the endpoint is made.
    pub secret: String,
    pub active: bool,
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("webhook").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All endpoints, oldest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, Fault> {
    Ok(Entity::find().order_by_asc(Column::Id).all(db).await?)
}

/// These endpoints.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<WebhookId>) -> Result<Vec<Model>, Fault> {
    Ok(Entity::find().filter(Column::Id.is_in(ids)).all(db).await?)
}

/// One endpoint, locked against other writers until the transaction ends.
pub async fn lock(tx: &database::Tx, id: WebhookId) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}
