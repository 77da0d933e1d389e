//! Dead letters: events that could not be applied, with the reason, kept for replay. This table says which there are;
//! on a shared bus they are told of in a topic as well, for whoever watches.

use common::id::EventId;
use common::{Fault, Timestamp};
use database::{Change, Database, Step, Tx, column, table};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{QueryOrder as _, QuerySelect as _};
use sea_orm_migration::prelude::Alias;
use trace::Cause;

use crate::Envelope;

/// Characters of a reason that are kept.
const LONGEST_REASON: usize = 4_000;

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
    /// Where it was found on a shared bus: topic, partition and offset.
    pub origin: String,
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
                    .col(column(Column::Origin).string_len(300).not_null())
                    .col(column(Column::At).big_integer().not_null()),
            )
        },
    }]
}

/// An event that could not be applied, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub event: Envelope,
    /// Why it could not be applied.
    pub reason: String,
    /// Where it was found on a shared bus: topic, partition and offset; empty where it came otherwise.
    pub origin: String,
    /// When it was given up.
    pub at: Timestamp,
}

/// At most `limit` dead letters after the one with the id `after`, oldest event first.
pub async fn dead_letters(
    database: &Database,
    after: Option<EventId>,
    limit: u64,
) -> Result<Vec<DeadLetter>, Fault> {
    let mut found = Entity::find().order_by_asc(Column::EventId).limit(limit);
    if let Some(after) = after {
        found = found.filter(Column::EventId.gt(after));
    }
    Ok(found.all(database.schema()).await?.into_iter().map(DeadLetter::from).collect())
}

/// The dead letter with this id.
pub async fn dead_letter(database: &Database, id: EventId) -> Result<Option<DeadLetter>, Fault> {
    Ok(Entity::find_by_id(id).one(database.schema()).await?.map(DeadLetter::from))
}

/// Gives an event up for good; says whether it was a dead letter.
pub async fn drop_dead_letter(database: &Database, id: EventId) -> Result<bool, Fault> {
    Ok(Entity::delete_by_id(id).exec(database.schema()).await?.rows_affected > 0)
}

/// Takes a dead letter out of the table as part of `tx`; says whether it was there.
pub(crate) async fn take(tx: &Tx, id: EventId) -> Result<bool, Fault> {
    Ok(Entity::delete_by_id(id).exec(tx).await?.rows_affected > 0)
}

impl From<Model> for DeadLetter {
    fn from(row: Model) -> Self {
        let event = Envelope {
            id: row.event_id,
            topic: row.topic,
            key: row.aggregate,
            // When it was written is not kept: nothing is decided by it.
            at: row.at,
            payload: row.payload,
            cause: Cause::default(),
        };
        Self { event, reason: row.reason, origin: row.origin, at: row.at }
    }
}

fn shortened(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Keeps an event that could not be applied.
pub(crate) async fn keep(
    database: &Database,
    event: &Envelope,
    reason: &str,
    origin: String,
    now: Timestamp,
) -> Result<(), Fault> {
    let row = ActiveModel {
        event_id: Set(event.id),
        // What is broken may be longer than what we write ourselves, and must not fail here.
        topic: Set(shortened(&event.topic, 40)),
        aggregate: Set(shortened(&event.key, 64)),
        payload: Set(event.payload.clone()),
        reason: Set(shortened(reason, LONGEST_REASON)),
        origin: Set(shortened(&origin, 300)),
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
