//! A database's jobs: asked for by whoever writes to it, and run by whoever works for it.

use std::time::Duration;

use common::id::JobId;
use common::{Clock, Fault, Ids, Timestamp};
use database::{Database, Tx};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _, join, join_all};
use serde::Serialize;

use crate::job::{Job, When};
use crate::{desk, row};

/// How often is looked at the longest whether a job's time has come: other processes ask as well, and somebody may say
/// that one is to be tried again.
const LOOK: Duration = Duration::from_secs(10);
/// The same for jobs that are asked for.
const ASKED_LOOK: Duration = Duration::from_secs(1);
/// Jobs of a name that are taken at once, and run side by side.
const BATCH: u64 = 32;
const ABREAST: usize = 8;
/// The longest pause where the database does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long jobs under way may take when everything stops.
const GRACE: Duration = Duration::from_secs(5);
/// How often jobs are counted for the metrics.
const COUNTING: Duration = Duration::from_secs(15);

/// The jobs of a subgraph's database. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    pub(crate) subgraph: &'static str,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked<'a, T> {
    /// The name of a [`Job::asked`].
    pub name: &'a str,
    /// What tells it from others of its name, at most 64 characters. While one of this key waits or runs, or has failed
    /// and nobody has looked, asking again has no effect.
    pub key: &'a str,
    /// What its work is given.
    pub payload: T,
    /// Not before.
    pub at: Timestamp,
}

impl Queue {
    /// The jobs in `database`.
    pub fn new(subgraph: &'static str, database: &Database, clock: &Clock, ids: &Ids) -> Self {
        Self { subgraph, database: database.clone(), clock: clock.clone(), ids: ids.clone() }
    }

    /// Asks for a job in the transaction that wants it; says whether it was not asked for already.
    pub async fn ask<T: Serialize>(&self, tx: &Tx, asked: &Asked<'_, T>) -> Result<bool, Fault> {
        let payload = serde_json::to_string(&asked.payload).map_err(Fault::internal)?;
        let id: JobId = self.ids.next();
        let row = row::Model::new(id, asked.name, asked.key, asked.at, self.clock.now());
        row::insert(tx, row::Model { payload, ..row }).await
    }

    /// Runs these jobs, together with all other processes that do the same for this database, until `stopping` resolves.
    /// What is under way then is ended, or left to others where that takes long.
    pub async fn run(&self, jobs: &[Job], stopping: impl Future<Output = ()> + Send) {
        let stopping = stopping.shared();
        let each: Vec<BoxFuture<'_, ()>> =
            jobs.iter().map(|job| self.attend(job, stopping.clone()).boxed()).collect();
        let late = async {
            stopping.clone().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = join(join_all(each), self.count(jobs, stopping.clone())) => {}
            () = late => tracing::info!(subgraph = self.subgraph, "jobs under way are left to others"),
        }
    }

    async fn attend(&self, job: &Job, stopping: impl Future<Output = ()> + Clone + Send) {
        let mut pause = ASKED_LOOK;
        let mut nudged = false;
        loop {
            let turned = match job.when {
                When::Every(every) => self.turn(job, every, nudged).await,
                When::Asked => self.serve(job).await,
            };
            let wait = match turned {
                Ok(wait) => {
                    pause = ASKED_LOOK;
                    wait
                }
                Err(fault) => {
                    tracing::warn!(
                        subgraph = self.subgraph,
                        job = job.name,
                        reason = fault.chain(),
                        "a job could not be looked after"
                    );
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    pause
                }
            };
            tokio::select! {
                biased;
                () = stopping.clone() => return,
                () = job.nudge.0.notified() => nudged = true,
                () = tokio::time::sleep(wait) => nudged = false,
            }
        }
    }

    /// Runs a job that comes round, if its tick has come and nobody else runs it; says how long to wait.
    pub(crate) async fn turn(&self, job: &Job, every: Duration, nudged: bool) -> Result<Duration, Fault> {
        if let Some(look) = &job.look
            && !look().await?
        {
            return Ok(every.min(LOOK));
        }
        let now = self.clock.now();
        let Some(read) = row::round(&self.database, job.name).await? else {
            return self.plan(job, every).await;
        };
        // A nudge does not wait for the tick, but for the pause after a failure.
        let has_come = read.run_at <= now || (nudged && read.attempts == 0);
        if has_come && !read.is_held(now) {
            self.take(job, &read).await?;
        }
        match job.look {
            Some(_) => Ok(every.min(LOOK)),
            None => {
                let left = read.run_at.0.saturating_sub(now.0).max(0).unsigned_abs();
                Ok(Duration::from_micros(left).min(every).min(LOOK))
            }
        }
    }

    /// Runs a job that comes round now, whatever its tick, unless somebody runs it; says whether it ran. For tests that
    /// move the clock.
    pub async fn once(&self, job: &Job) -> Result<bool, Fault> {
        if let When::Every(every) = job.when {
            self.plan(job, every).await?;
        }
        match row::round(&self.database, job.name).await? {
            Some(read) if !read.is_held(self.clock.now()) => self.take(job, &read).await,
            _ => Ok(false),
        }
    }

    /// Writes the row of a job that comes round for the first time; says how long to wait.
    async fn plan(&self, job: &Job, every: Duration) -> Result<Duration, Fault> {
        let now = self.clock.now();
        // What looks by itself has found something to do.
        let first = if job.look.is_some() { now } else { now.plus(every) };
        row::insert(
            self.database.schema(),
            row::Model::new(self.ids.next(), job.name, row::ROUND, first, now),
        )
        .await?;
        Ok(if job.look.is_some() { Duration::ZERO } else { every.min(LOOK) })
    }

    /// Runs jobs that were asked for and are due; says how long to wait.
    pub(crate) async fn serve(&self, job: &Job) -> Result<Duration, Fault> {
        let due = row::due(&self.database, job.name, self.clock.now(), BATCH).await?;
        let more = due.len() as u64 == BATCH;
        let runs: Vec<BoxFuture<'_, Result<bool, Fault>>> =
            due.iter().map(|read| self.take(job, read).boxed()).collect();
        let taken: Vec<_> = futures::stream::iter(runs).buffer_unordered(ABREAST).collect().await;
        // A fault of the machinery is told when all have ended.
        taken.into_iter().collect::<Result<Vec<bool>, Fault>>()?;
        Ok(if more { Duration::ZERO } else { ASKED_LOOK })
    }

    async fn count(&self, jobs: &[Job], stopping: impl Future<Output = ()> + Clone + Send) {
        // What looks by itself is not late where it has nothing to do.
        let looking: Vec<&str> = jobs.iter().filter(|job| job.look.is_some()).map(|job| job.name).collect();
        loop {
            match desk::counts(&self.database, self.clock.now(), &looking).await {
                Ok(counts) => self.tell(&counts),
                Err(fault) => {
                    tracing::debug!(subgraph = self.subgraph, reason = fault.chain(), "jobs are not counted");
                }
            }
            tokio::select! {
                () = stopping.clone() => return,
                () = tokio::time::sleep(COUNTING) => {}
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    fn tell(&self, counts: &desk::Counts) {
        metrics::gauge!("techpotli_jobs_depth", "subgraph" => self.subgraph).set(counts.waiting as f64);
        metrics::gauge!("techpotli_jobs_failed", "subgraph" => self.subgraph).set(counts.failed as f64);
        metrics::gauge!("techpotli_jobs_overdue_seconds", "subgraph" => self.subgraph)
            .set(counts.overdue.as_secs_f64());
    }

    /// Between half of a pause and all of it, so that what failed together is not tried together.
    pub(crate) fn jittered(&self, pause: Duration) -> Duration {
        let [.., high, low] = self.ids.next::<common::id::Job>().uuid().into_bytes();
        pause / 2 + pause / 2 * u32::from(u16::from_be_bytes([high, low])) / u32::from(u16::MAX)
    }
}
