//! The inbox: which events were applied, recorded in the transaction that applied them.

use common::id::EventId;
use common::{Fault, Timestamp};
use database::{Change, Database, Step, Tx, column, is_duplicate, table};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// An event that was applied.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    pub applied_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn migrations() -> Vec<Step> {
    vec![Step {
        name: "k0003_inbox",
        change: || {
            Change::table(
                table(Entity)
                    .col(column(Column::EventId).uuid().not_null().primary_key())
                    .col(column(Column::AppliedAt).big_integer().not_null()),
            )
        },
    }]
}

/// Forgets some events that were applied before `before`; says how many. One that is delivered after that is applied
/// again, so `before` must lie further back than anything that can still be delivered.
pub async fn forget_applied(database: &Database, before: Timestamp, limit: u64) -> Result<u64, Fault> {
    // Ids begin with the time at which they were made, so these are about the oldest.
    let oldest: Vec<(EventId, Timestamp)> = Entity::find()
        .select_only()
        .columns([Column::EventId, Column::AppliedAt])
        .order_by_asc(Column::EventId)
        .limit(limit)
        .into_tuple()
        .all(database.newest())
        .await?;
    let old: Vec<EventId> = oldest.into_iter().filter(|(_, at)| *at < before).map(|(id, _)| id).collect();
    if old.is_empty() {
        return Ok(0);
    }
    let gone = Entity::delete_many().filter(Column::EventId.is_in(old)).exec(database.schema()).await?;
    Ok(gone.rows_affected)
}

/// Records events; says whether it is the first time for all of them. Otherwise nothing is recorded.
pub(crate) async fn first_time_for_all(
    tx: &Tx,
    events: impl Iterator<Item = EventId>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let rows = events.map(|event| ActiveModel { event_id: Set(event), applied_at: Set(now) });
    match Entity::insert_many(rows).exec_without_returning(tx).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Records the event; says whether it is the first time.
pub(crate) async fn first_time(tx: &Tx, event: EventId, now: Timestamp) -> Result<bool, Fault> {
    let row = ActiveModel { event_id: Set(event), applied_at: Set(now) };
    // Not ON CONFLICT DO NOTHING: MariaDB counts the row that was there as one that was found.
    match Entity::insert(row).exec_without_returning(tx).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
