//! The inbox: which events were applied, recorded in the transaction that applied them.

use common::id::EventId;
use common::{Fault, Timestamp};
use database::{Change, Step, Tx, column, is_duplicate, table};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

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
