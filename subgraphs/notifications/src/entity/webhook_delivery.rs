//! Tries to tell an endpoint of an event.

use common::id::{EventId, WebhookId};
use common::{Fault, PageArgs, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// A try to tell an endpoint of an event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    /// 1 for the first.
    pub attempt: i32,
    /// The HTTP status that came back, if one did.
    pub status: Option<i32>,
    pub at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A page of an endpoint's deliveries, newest first; `after` is the id of the last one of the page before.
pub async fn page_of(
    db: &impl ConnectionTrait,
    webhook: WebhookId,
    page: &PageArgs,
    after: Option<i64>,
) -> Result<Vec<Model>, Fault> {
    let mut found = Entity::find().filter(Column::WebhookId.eq(webhook));
    if let Some(after) = after {
        found = found.filter(Column::Id.lt(after));
    }
    Ok(found.order_by_desc(Column::Id).limit(page.first as u64).all(db).await?)
}
