//! One run of a job: claimed, kept, and ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::id::JobId;
use common::{Fault, FaultCode, Timestamp};
use database::Tx;
use futures::FutureExt as _;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::job::{Job, When};
use crate::queue::Queue;
use crate::row::{self, End, NEVER};

/// How long a claim lasts that is not renewed: so long nobody does what a dead process had begun.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
/// Runs that may fail in a row before a job has failed.
pub(crate) const TRIES: i32 = 10;
/// The pause after the first failure; each one after that is twice as long.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause between tries; of a job that comes round often, a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
const OFTEN: Duration = Duration::from_secs(60);

/// A run of a job, as its work sees it.
#[derive(Clone)]
pub struct Run(Arc<Inner>);

struct Inner {
    queue: Queue,
    claimed: row::Model,
    when: When,
    settled: AtomicBool,
}

impl Run {
    /// The job's id: the same in every try.
    pub fn id(&self) -> JobId {
        self.0.claimed.id
    }

    /// The tick that this run is for, or when it was to run.
    pub fn tick(&self) -> Timestamp {
        self.0.claimed.run_at
    }

    /// Which try this is, from 1 on.
    pub fn attempt(&self) -> i32 {
        self.0.claimed.attempts
    }

    /// What was given to whoever asked for the job.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.0.claimed.payload).map_err(Fault::internal)
    }

    /// Ends the job well in the transaction that does what it is about, so that both are so or neither is. A fault
    /// where somebody else has taken the job over meanwhile: then nothing of the transaction may stay.
    pub async fn settle(&self, tx: &Tx) -> Result<(), Fault> {
        if !row::end(tx, &self.0.claimed, &self.0.well()).await? {
            // Not a conflict: trying the transaction again would not help.
            return Err(Fault::new(FaultCode::Unavailable, "somebody else has taken this job over"));
        }
        self.0.settled.store(true, Ordering::Release);
        Ok(())
    }
}

impl Inner {
    fn well(&self) -> End {
        match self.when {
            When::Every(every) => End::Next(next_tick(self.claimed.run_at, every, self.queue.clock.now())),
            When::Asked => End::Over,
        }
    }

    fn badly(&self, reason: String) -> End {
        let tries = self.claimed.attempts;
        let longest = match self.when {
            When::Every(every) => every.clamp(OFTEN, LONGEST_PAUSE),
            When::Asked => LONGEST_PAUSE,
        };
        let again = self.queue.clock.now().plus(self.queue.jittered(pause_after(tries, longest)));
        match self.when {
            _ if tries < TRIES => End::Again(again, reason),
            // What comes round goes on: the next time may go better.
            When::Every(_) => End::Failed(again, reason),
            When::Asked => End::Failed(NEVER, reason),
        }
    }
}

impl Queue {
    /// Claims and runs a job that was read as due; says whether it was ours to run.
    pub(crate) async fn take(&self, job: &Job, read: &row::Model) -> Result<bool, Fault> {
        let now = self.clock.now();
        let owner = self.ids.next::<common::id::Job>().to_string();
        let Some(claimed) = row::claim(&self.database, read, &owner, now, now.plus(LEASE)).await? else {
            return Ok(false);
        };
        if !read.owner.is_empty() {
            tracing::warn!(
                subgraph = self.subgraph,
                job = job.name,
                job.id = %read.id,
                "a job is taken over: whoever ran it did not end it"
            );
        }
        let inner = Inner { queue: self.clone(), claimed, when: job.when, settled: AtomicBool::new(false) };
        let run = Run(Arc::new(inner));
        if matches!(job.when, When::Asked) && read.attempts >= TRIES {
            // Whoever ran it died each time: it may be the job that kills them.
            let end = End::Failed(NEVER, "none of its runs has ended".to_owned());
            row::end(self.database.schema(), &run.0.claimed, &end).await?;
            return Ok(true);
        }
        let begun = Instant::now();
        let outcome = self.work(job, &run).await;
        metrics::histogram!("techpotli_job_seconds", "subgraph" => self.subgraph, "job" => job.name)
            .record(begun.elapsed().as_secs_f64());
        metrics::counter!(
            "techpotli_job_runs_total", "subgraph" => self.subgraph, "job" => job.name, "outcome" => outcome?
        )
        .increment(1);
        Ok(true)
    }

    /// Works while the claim is ours, and writes how it ended; says in a word what came of it.
    async fn work(&self, job: &Job, run: &Run) -> Result<&'static str, Fault> {
        let work = AssertUnwindSafe((job.work)(run.clone())).catch_unwind();
        let worked = tokio::select! {
            biased;
            worked = work => worked,
            () = self.keep_claim(&run.0.claimed) => return Ok(self.lost(job, run)),
        };
        let end = match worked {
            // Written with what the job was about.
            Ok(Ok(())) if run.0.settled.load(Ordering::Acquire) => return Ok("done"),
            Ok(Ok(())) => run.0.well(),
            Ok(Err(fault)) => run.0.badly(fault.chain()),
            Err(panic) => run.0.badly(format!("it panicked: {}", words_of(&*panic))),
        };
        if !row::end(self.database.schema(), &run.0.claimed, &end).await? {
            return Ok(self.lost(job, run));
        }
        match &end {
            End::Over | End::Next(_) => Ok("done"),
            End::Again(_, reason) => {
                tracing::warn!(
                    subgraph = self.subgraph, job = job.name, job.id = %run.id(), attempt = run.attempt(),
                    reason, "a job failed and is tried again"
                );
                Ok("failed")
            }
            End::Failed(_, reason) => {
                tracing::error!(
                    subgraph = self.subgraph, job = job.name, job.id = %run.id(), attempt = run.attempt(),
                    reason, "a job has failed: see `techpotli jobs list --failed`"
                );
                Ok("failed")
            }
        }
    }

    fn lost(&self, job: &Job, run: &Run) -> &'static str {
        tracing::warn!(
            subgraph = self.subgraph, job = job.name, job.id = %run.id(),
            "a job was not ours any more before it ended: somebody else has taken it over or dropped it"
        );
        "lost"
    }

    /// Ends when the claim is another's, or when it cannot be renewed for as long as it lasts.
    async fn keep_claim(&self, claimed: &row::Model) {
        let mut kept = Instant::now();
        while kept.elapsed() < LEASE {
            tokio::time::sleep(LEASE / 3).await;
            match row::renew(&self.database, claimed, self.clock.now().plus(LEASE)).await {
                Ok(true) => kept = Instant::now(),
                Ok(false) => return,
                Err(fault) => {
                    tracing::debug!(
                        subgraph = self.subgraph,
                        reason = fault.chain(),
                        "no claim is renewed now"
                    );
                }
            }
        }
    }
}

/// The first tick after `now` of those that are `every` apart, one of which was `tick`.
fn next_tick(tick: Timestamp, every: Duration, now: Timestamp) -> Timestamp {
    let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
    let passed = now.0.saturating_sub(tick.0).max(0) / every;
    Timestamp(tick.0.saturating_add(every.saturating_mul(passed + 1)))
}

fn pause_after(tries: i32, longest: Duration) -> Duration {
    let doublings = u32::try_from(tries - 1).unwrap_or_default().min(16);
    (SHORTEST_PAUSE * 2_u32.pow(doublings)).min(longest)
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_apart_as_agreed_and_those_that_were_missed_are_left_out() {
        let every = Duration::from_micros(10);
        for (tick, now, next) in
            [(100, 100, 110), (100, 109, 110), (100, 110, 120), (100, 175, 180), (100, 50, 110)]
        {
            assert_eq!(next_tick(Timestamp(tick), every, Timestamp(now)), Timestamp(next), "{tick} {now}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = |tries, longest| pause_after(tries, Duration::from_secs(longest)).as_secs();
        assert_eq!([1, 2, 3, 4, 5].map(|tries| seconds(tries, 600)), [2, 4, 8, 16, 32]);
        assert_eq!([9, 10, 1_000].map(|tries| seconds(tries, 600)), [512, 600, 600]);
        assert_eq!(seconds(9, 60), 60);
    }
}
