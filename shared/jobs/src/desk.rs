//! Looking at a database's jobs from outside: which there are, trying one again, giving one up.

use std::time::Duration;

use common::id::JobId;
use common::{Fault, Timestamp};
use database::Database;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::row::{Column, Entity, Model, NEVER};

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub name: String,
    /// What tells it from others of its name; empty for one that comes round.
    pub key: String,
    /// How it stands.
    pub state: State,
    /// When it is to run next; none where it waits for somebody to look.
    pub run_at: Option<Timestamp>,
    /// Runs begun since the last one that ended well.
    pub attempts: i32,
    /// Why the last run failed.
    pub last_error: Option<String>,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for its time.
    Waiting,
    /// Somebody runs it.
    Running,
    /// It failed and is tried again by itself.
    Retrying,
    /// It failed too often.
    Failed,
}

impl State {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
        }
    }
}

/// At most `limit` jobs after the one with the id `after`, oldest first; those alone that have failed where `failed`.
pub async fn list(
    database: &Database,
    failed: bool,
    after: Option<JobId>,
    limit: u64,
    now: Timestamp,
) -> Result<Vec<Listed>, Fault> {
    let mut found = Entity::find().order_by_asc(Column::Id).limit(limit);
    if failed {
        found = found.filter(Column::Failed.eq(true));
    }
    if let Some(after) = after {
        found = found.filter(Column::Id.gt(after));
    }
    Ok(found.all(database.newest()).await?.into_iter().map(|row| listed(row, now)).collect())
}

/// The job with this id.
pub async fn find(database: &Database, id: JobId, now: Timestamp) -> Result<Option<Listed>, Fault> {
    Ok(Entity::find_by_id(id).one(database.newest()).await?.map(|row| listed(row, now)))
}

/// Has a job run now, with all its tries before it; says whether it was there and nobody ran it.
pub async fn retry(database: &Database, id: JobId, now: Timestamp) -> Result<bool, Fault> {
    let again = Entity::update_many()
        .col_expr(Column::RunAt, Expr::value(now))
        .col_expr(Column::Attempts, Expr::value(0_i32))
        .col_expr(Column::Failed, Expr::value(false))
        .filter(Column::Id.eq(id))
        .filter(Column::LockedUntil.lte(now));
    Ok(again.exec(database.schema()).await?.rows_affected > 0)
}

/// Gives a job up for good; says whether it was there and nobody ran it. One that comes round comes again, as if it had
/// never run.
pub async fn drop_job(database: &Database, id: JobId, now: Timestamp) -> Result<bool, Fault> {
    let gone = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::LockedUntil.lte(now));
    Ok(gone.exec(database.schema()).await?.rows_affected > 0)
}

fn listed(row: Model, now: Timestamp) -> Listed {
    let state = match row.failed {
        _ if row.is_held(now) => State::Running,
        true => State::Failed,
        false if row.last_error.is_some() && row.attempts > 0 => State::Retrying,
        false => State::Waiting,
    };
    Listed {
        id: row.id,
        name: row.name,
        key: row.key,
        state,
        run_at: Some(row.run_at).filter(|at| *at != NEVER),
        attempts: row.attempts,
        last_error: row.last_error,
    }
}

/// What the metrics say.
pub(crate) struct Counts {
    /// Jobs that wait or run.
    pub waiting: u64,
    pub failed: u64,
    /// For how long the one has been due that waits longest.
    pub overdue: Duration,
}

/// Counts jobs. Of those that are `looking` nobody is late.
pub(crate) async fn counts(database: &Database, now: Timestamp, looking: &[&str]) -> Result<Counts, Fault> {
    let all = Entity::find().count(database.newest()).await?;
    let failed = Entity::find().filter(Column::Failed.eq(true)).count(database.newest()).await?;
    let oldest: Option<Timestamp> = Entity::find()
        .select_only()
        .column(Column::RunAt)
        .filter(Column::Failed.eq(false))
        .filter(Column::LockedUntil.lte(now))
        .filter(Column::RunAt.lte(now))
        .filter(Column::Name.is_not_in(looking.iter().copied()))
        .order_by_asc(Column::RunAt)
        .limit(1)
        .into_tuple()
        .one(database.newest())
        .await?;
    let overdue = oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0).unsigned_abs());
    Ok(Counts { waiting: all - failed.min(all), failed, overdue: Duration::from_micros(overdue) })
}
