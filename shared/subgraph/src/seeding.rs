//! Writing many seeded rows: in chunks, each with its mark of how far it came, so that a killed run goes on where it
//! was and a larger world adds to a smaller one.

use std::ops::Range;
use std::sync::Arc;

use common::Fault;
use database::{Change, ScopedFutureExt, Step, Tx, column, table};
use futures::future::BoxFuture;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, EntityTrait};

use crate::Ports;

/// How far the seeding of one kind of row came.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seeded")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: String,
    pub done: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn migrations() -> Vec<Step> {
    vec![Step {
        name: "k0006_seeded",
        change: || {
            Change::table(
                table(Entity)
                    .col(column(Column::Part).string_len(40).not_null().primary_key())
                    .col(column(Column::Done).big_integer().not_null()),
            )
        },
    }]
}

/// Told how many more rows are written.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(u64) + Send + Sync>);

impl Progress {
    /// Calls `tell` with the number of rows of each chunk.
    pub fn new(tell: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// So many more rows are written.
    pub fn tell(&self, rows: u64) {
        (self.0)(rows);
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }
}

/// Rows of a statement: SQLite binds at most 32,766 values, and no table of ours has more than 60 columns.
const ROWS_AT_ONCE: usize = 500;

/// How many rows of `part` are written.
pub async fn done(ports: &Ports, part: &'static str) -> Result<u32, Fault> {
    let known = Entity::find_by_id(part.to_owned()).one(ports.database.schema()).await?;
    Ok(known.map_or(0, |row| u32::try_from(row.done).unwrap_or(u32::MAX)))
}

/// Writes the rows `0..count` of `part` in chunks, each in a transaction by `write`; those that an earlier run wrote
/// are skipped.
pub async fn part<F>(
    ports: &Ports,
    part: &'static str,
    count: u32,
    chunk: u32,
    progress: &Progress,
    write: F,
) -> Result<(), Fault>
where
    F: for<'c> Fn(&'c Tx, Range<u32>) -> BoxFuture<'c, Result<(), Fault>> + Send + Sync,
{
    let mut done = done(ports, part).await?;
    progress.tell(u64::from(done.min(count)));
    let write = &write;
    while done < count {
        let rows = done..count.min(done + chunk);
        let end = rows.end;
        ports
            .database
            .transaction(|tx| {
                let rows = rows.clone();
                async move {
                    write(tx, rows).await?;
                    let mark = ActiveModel { part: Set(part.to_owned()), done: Set(end.into()) };
                    let known = OnConflict::column(Column::Part).update_column(Column::Done).to_owned();
                    Entity::insert(mark).on_conflict(known).exec_without_returning(tx).await?;
                    Ok::<_, Fault>(())
                }
                .scope_boxed()
            })
            .await?;
        progress.tell(u64::from(end - done));
        done = end;
    }
    Ok(())
}

/// Inserts rows, a few hundred with each statement.
pub async fn insert<A>(tx: &Tx, rows: Vec<A>) -> Result<(), Fault>
where
    A: ActiveModelTrait + Send,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<A> = rows.by_ref().take(ROWS_AT_ONCE).collect();
        <A::Entity as EntityTrait>::insert_many(some).exec_without_returning(tx).await?;
    }
    Ok(())
}
