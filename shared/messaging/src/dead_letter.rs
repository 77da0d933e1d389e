//! Dead letters: events that could not be applied, with the reason, kept for replay.

use common::id::EventId;
use common::{Fault, Timestamp};
use database::{Change, Database, Step, column, table};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm_migration::prelude::Alias;

use crate::Envelope;

/// An event that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    pub topic: String,
    pub aggregate: String,
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    pub at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn migrations() -> Vec<Step> {
    vec![Step {
        name: "k0004_dead_letter",
        change: || {
            Change::table(
                table(Entity)
                    .col(column(Column::EventId).uuid().not_null().primary_key())
                    .col(column(Column::Topic).string_len(40).not_null())
                    .col(column(Column::Aggregate).string_len(64).not_null())
                    .col(column(Column::Payload).custom(Alias::new("longtext")).not_null())
                    .col(column(Column::Reason).text().not_null())
                    .col(column(Column::At).big_integer().not_null()),
            )
        },
    }]
}

/// Keeps an event that could not be applied.
pub(crate) async fn keep(
    database: &Database,
    event: &Envelope,
    reason: String,
    now: Timestamp,
) -> Result<(), Fault> {
    let row = ActiveModel {
        event_id: Set(event.id),
        topic: Set(event.topic.clone()),
        aggregate: Set(event.key.clone()),
        payload: Set(event.payload.clone()),
        reason: Set(reason),
        at: Set(now),
    };
    let kept = Entity::insert(row)
        .on_conflict(OnConflict::column(Column::EventId).do_nothing_on([Column::EventId]).to_owned())
        .exec_without_returning(database.schema())
        .await;
    match kept {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
