//! The outbox: events written in the transaction that makes them true.

use common::id::EventId;
use common::{Clock, Fault, Ids, Timestamp};
use database::{Change, Database, Step, Tx, column, table};
use events::Event;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};
use sea_orm_migration::prelude::Alias;
use trace::{Cause, RequestId};

use crate::Envelope;

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub event_id: EventId,
    pub topic: String,
    pub aggregate: String,
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    pub created_at: Timestamp,
    pub published: bool,
    /// The request that wrote it, and the place in its trace, where that is recorded.
    pub request_id: Option<String>,
    pub traceparent: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn migrations() -> Vec<Step> {
    vec![
        Step {
            name: "k0001_outbox",
            change: || {
                Change::table(
                    table(Entity)
                        .col(column(Column::Seq).big_integer().not_null().auto_increment().primary_key())
                        .col(column(Column::EventId).uuid().not_null())
                        .col(column(Column::Topic).string_len(40).not_null())
                        .col(column(Column::Aggregate).string_len(64).not_null())
                        .col(column(Column::Payload).custom(Alias::new("longtext")).not_null())
                        .col(column(Column::CreatedAt).big_integer().not_null())
                        .col(column(Column::Published).boolean().not_null()),
                )
            },
        },
        Step {
            name: "k0002_outbox_unpublished",
            change: || Change::index("outbox_unpublished", "outbox", &["published", "seq"], false),
        },
        Step {
            name: "k0008_outbox_request_id",
            change: || Change::column("outbox", column(Column::RequestId).string_len(128).null()),
        },
        Step {
            name: "k0009_outbox_traceparent",
            change: || Change::column("outbox", column(Column::Traceparent).string_len(55).null()),
        },
    ]
}

/// Writes an event into the outbox of `database` as part of `tx`. It is published after the commit, and never if the
/// transaction rolls back.
pub async fn append<E: Event>(
    database: &Database,
    tx: &Tx,
    clock: &Clock,
    ids: &Ids,
    event: &E,
) -> Result<(), Fault> {
    let cause = Cause::now();
    let row = ActiveModel {
        seq: NotSet,
        event_id: Set(ids.next()),
        topic: Set(E::TOPIC.to_owned()),
        aggregate: Set(event.key()),
        payload: Set(serde_json::to_string(event).map_err(Fault::internal)?),
        created_at: Set(clock.now()),
        published: Set(false),
        request_id: Set(cause.request.map(|request| request.text().to_string())),
        traceparent: Set(cause.parent.map(|parent| parent.to_string())),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    database.outbox_written();
    Ok(())
}

/// The oldest unpublished events, at most `limit`, with their places in the outbox.
pub(crate) async fn unpublished(database: &Database, limit: u64) -> Result<Vec<(i64, Envelope)>, Fault> {
    let rows = Entity::find()
        .filter(Column::Published.eq(false))
        .order_by_asc(Column::Seq)
        .limit(limit)
        .all(database.newest())
        .await?;
    Ok(rows.into_iter().map(|row| (row.seq, row.into())).collect())
}

/// How many events are not published yet.
pub(crate) async fn depth(database: &Database) -> Result<u64, Fault> {
    Ok(Entity::find().filter(Column::Published.eq(false)).count(database.read()).await?)
}

/// Marks events as published.
pub(crate) async fn mark_published(database: &Database, places: Vec<i64>) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::Published, Expr::value(true))
        .filter(Column::Seq.is_in(places))
        .exec(database.schema())
        .await?;
    Ok(())
}

/// Forgets some of what was published and was written before `before`; says how many that were.
pub async fn forget_published(database: &Database, before: Timestamp, limit: u64) -> Result<u64, Fault> {
    // The oldest first, by an index that is there for the relay.
    let oldest: Vec<(i64, Timestamp)> = Entity::find()
        .select_only()
        .columns([Column::Seq, Column::CreatedAt])
        .filter(Column::Published.eq(true))
        .order_by_asc(Column::Seq)
        .limit(limit)
        .into_tuple()
        .all(database.newest())
        .await?;
    let old: Vec<i64> = oldest.into_iter().filter(|(_, at)| *at < before).map(|(seq, _)| seq).collect();
    if old.is_empty() {
        return Ok(0);
    }
    let gone = Entity::delete_many().filter(Column::Seq.is_in(old)).exec(database.schema()).await?;
    Ok(gone.rows_affected)
}

impl From<Model> for Envelope {
    fn from(row: Model) -> Self {
        let cause = Cause {
            request: row.request_id.as_deref().and_then(RequestId::parse),
            parent: row.traceparent.as_deref().and_then(|parent| parent.parse().ok()),
        };
        Self {
            id: row.event_id,
            topic: row.topic,
            key: row.aggregate,
            at: row.created_at,
            payload: row.payload,
            cause,
        }
    }
}
