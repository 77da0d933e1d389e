//! The table of jobs. Every change of a row says in its condition what it must still be.

use common::id::JobId;
use common::{Fault, Timestamp};
use database::{Change, Database, Step, column, is_duplicate, table};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{QueryOrder as _, QuerySelect as _, UpdateMany};
use sea_orm_migration::prelude::Alias;

/// Characters of a reason that are kept.
const LONGEST_REASON: usize = 4_000;
/// When that is due which nobody is to run.
pub(crate) const NEVER: Timestamp = Timestamp(i64::MAX);
/// The key of a job that comes round.
pub(crate) const ROUND: &str = "";

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub name: String,
    /// What tells it from others of its name; empty for one that comes round.
    pub key: String,
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    /// When it is to run next.
    pub run_at: Timestamp,
    /// Runs begun since the last one that ended well.
    pub attempts: i32,
    /// It has failed so often that somebody should look.
    pub failed: bool,
    /// Which run has claimed it; empty for none.
    pub owner: String,
    /// Until when nobody else may run it.
    pub locked_until: Timestamp,
    /// Why the last run failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The table of jobs, which every database has that jobs are about.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "k0008_job", change: job_table },
        Step { name: "k0009_job_key", change: || Change::index("job_key", "job", &["name", "key"], true) },
        Step {
            name: "k0010_job_due",
            change: || Change::index("job_due", "job", &["name", "run_at"], false),
        },
        // For whoever counts.
        Step {
            name: "k0012_job_failed",
            change: || Change::index("job_failed", "job", &["failed", "run_at"], false),
        },
    ]
}

fn job_table() -> Change {
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Name).string_len(40).not_null())
            .col(column(Column::Key).string_len(64).not_null())
            .col(column(Column::Payload).custom(Alias::new("longtext")).not_null())
            .col(column(Column::RunAt).big_integer().not_null())
            .col(column(Column::Attempts).integer().not_null())
            .col(column(Column::Failed).boolean().not_null())
            .col(column(Column::Owner).string_len(40).not_null())
            .col(column(Column::LockedUntil).big_integer().not_null())
            .col(column(Column::LastError).text())
            .col(column(Column::CreatedAt).big_integer().not_null()),
    )
}

impl Model {
    /// A job that nobody has run yet.
    pub(crate) fn new(id: JobId, name: &str, key: &str, run_at: Timestamp, now: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            key: key.to_owned(),
            payload: "null".to_owned(),
            run_at,
            attempts: 0,
            failed: false,
            owner: String::new(),
            locked_until: Timestamp(0),
            last_error: None,
            created_at: now,
        }
    }

    /// Whether somebody runs it, as far as the time says.
    pub(crate) fn is_held(&self, now: Timestamp) -> bool {
        self.locked_until > now
    }
}

/// Writes a job; says whether there was none of its name and key.
pub(crate) async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, Fault> {
    // Not ON CONFLICT DO NOTHING: MariaDB counts the row that was there as one that was found.
    match Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The job of this name that comes round.
pub(crate) async fn round(database: &Database, name: &str) -> Result<Option<Model>, Fault> {
    let found = Entity::find().filter(Column::Name.eq(name)).filter(Column::Key.eq(ROUND));
    Ok(found.one(database.newest()).await?)
}

/// Jobs of this name that are to run now and that nobody runs, what has waited longest first.
pub(crate) async fn due(
    database: &Database,
    name: &str,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Model>, Fault> {
    let due = Entity::find()
        .filter(Column::Name.eq(name))
        .filter(Column::RunAt.lte(now))
        .filter(Column::LockedUntil.lte(now))
        .order_by_asc(Column::RunAt)
        .limit(limit);
    Ok(due.all(database.newest()).await?)
}

/// Claims a job that still is what was read, for the run `owner`; `None` where somebody else was quicker.
pub(crate) async fn claim(
    database: &Database,
    read: &Model,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Model>, Fault> {
    let claimed = Entity::update_many()
        .col_expr(Column::Owner, Expr::value(owner))
        .col_expr(Column::LockedUntil, Expr::value(until))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.eq(read.id))
        // Each tick and each try once: whoever claims changes the second, and whoever ends a run one of them.
        .filter(Column::RunAt.eq(read.run_at))
        .filter(Column::Attempts.eq(read.attempts))
        .filter(Column::LockedUntil.lte(now))
        .exec(database.schema())
        .await?;
    if claimed.rows_affected == 0 {
        return Ok(None);
    }
    let (owner, attempts) = (owner.to_owned(), read.attempts + 1);
    Ok(Some(Model { owner, attempts, locked_until: until, ..read.clone() }))
}

/// Keeps a claim for longer; says whether it still was the claim of this run.
pub(crate) async fn renew(database: &Database, claimed: &Model, until: Timestamp) -> Result<bool, Fault> {
    let renewed = held(claimed).col_expr(Column::LockedUntil, Expr::value(until));
    Ok(renewed.exec(database.schema()).await?.rows_affected > 0)
}

/// What a run comes to.
pub(crate) enum End {
    /// It went well, and the job is over.
    Over,
    /// It went well, and the job comes round again.
    Next(Timestamp),
    /// It failed, and is tried again.
    Again(Timestamp, String),
    /// It failed once too often: somebody should look. It may be tried again all the same.
    Failed(Timestamp, String),
}

/// Writes how a run ended; says whether the job was its own until then.
pub(crate) async fn end(db: &impl ConnectionTrait, claimed: &Model, end: &End) -> Result<bool, Fault> {
    let free = |update: UpdateMany<Entity>, run_at: &Timestamp| {
        update
            .col_expr(Column::RunAt, Expr::value(*run_at))
            .col_expr(Column::Owner, Expr::value(""))
            .col_expr(Column::LockedUntil, Expr::value(0_i64))
    };
    let ended = match end {
        End::Over => {
            let over = Entity::delete_many()
                .filter(Column::Id.eq(claimed.id))
                .filter(Column::Owner.eq(&claimed.owner));
            return Ok(over.exec(db).await?.rows_affected > 0);
        }
        End::Next(run_at) => free(held(claimed), run_at)
            .col_expr(Column::Attempts, Expr::value(0_i32))
            .col_expr(Column::Failed, Expr::value(false))
            .col_expr(Column::LastError, Expr::value(Option::<String>::None)),
        End::Again(run_at, reason) => {
            free(held(claimed), run_at).col_expr(Column::LastError, Expr::value(shortened(reason)))
        }
        End::Failed(run_at, reason) => free(held(claimed), run_at)
            .col_expr(Column::Failed, Expr::value(true))
            .col_expr(Column::LastError, Expr::value(shortened(reason))),
    };
    Ok(ended.exec(db).await?.rows_affected > 0)
}

/// Changes that are made only while the job is that run's.
fn held(claimed: &Model) -> UpdateMany<Entity> {
    Entity::update_many().filter(Column::Id.eq(claimed.id)).filter(Column::Owner.eq(&claimed.owner))
}

fn shortened(reason: &str) -> String {
    reason.chars().take(LONGEST_REASON).collect()
}
