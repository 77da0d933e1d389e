//! Jobs on a real database: SQLite, or MariaDB where `TECHPOTLI_TEST_MYSQL` holds a server's URL.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test where it stands")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use common::{Clock, Fault, FaultCode, Ids, Timestamp};
use database::{Database, ScopedFutureExt as _};
use jobs::{Asked, Job, Listed, Nudge, Queue, Run, State};
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::sync::mpsc;

const START: Timestamp = Timestamp(1_793_534_400_000_000);
/// Longer than a claim lasts.
const LEASE_IS_OVER: Duration = Duration::from_secs(11);
/// How often is looked for what must come, and how long in all.
const PAUSE: Duration = Duration::from_millis(5);
const LOOKS: u32 = 12_000;

/// A database for several processes, as far as it can tell.
struct Bench {
    url: String,
    clock: Clock,
    database: Database,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match std::env::var("TECHPOTLI_TEST_MYSQL") {
            Ok(server) => format!("{}/t{}", server.trim_end_matches('/'), uuid::Uuid::new_v4().simple()),
            Err(_) => format!("sqlite:{}/jobs.sqlite", folder.path().display()),
        };
        let database = Database::connect(&url).await.unwrap();
        database::migrate(&database, vec![jobs::migrations]).await.unwrap();
        let table = "CREATE TABLE effect (tick BIGINT NOT NULL, runner INTEGER NOT NULL)";
        database.schema().execute_unprepared(table).await.unwrap();
        Self { url, clock: Clock::manual(START), database, _folder: folder }
    }

    /// Another process.
    async fn process(&self) -> Queue {
        let database = Database::connect(&self.url).await.unwrap();
        Queue::new("test", &database, &self.clock, &Ids::random(Clock::system()))
    }

    async fn list(&self) -> Vec<Listed> {
        jobs::list(&self.database, false, None, 100, self.clock.now()).await.unwrap()
    }

    async fn number(&self, text: &str) -> i64 {
        let statement = Statement::from_string(self.database.backend(), text);
        let row = self.database.newest().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "number").unwrap()
    }

    async fn effects(&self) -> i64 {
        self.number("SELECT COUNT(*) AS number FROM effect").await
    }

    async fn until_effects(&self, count: i64) {
        for _ in 0..LOOKS {
            if self.effects().await >= count {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{count} effects did not come: {:#?}", self.list().await);
    }

    /// Waits until the one job there is looks so.
    async fn until_job(&self, what: &str, is_so: impl Fn(&Listed) -> bool) -> Listed {
        for _ in 0..LOOKS {
            match self.list().await.pop() {
                Some(job) if is_so(&job) => return job,
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        panic!("{what} did not come: {:#?}", self.list().await);
    }

    async fn until_none(&self) {
        for _ in 0..LOOKS {
            if self.list().await.is_empty() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("there still are {:#?}", self.list().await);
    }

    async fn ask(&self, queue: &Queue, key: &str) -> bool {
        let now = self.clock.now();
        let asked: Result<bool, Fault> = self
            .database
            .transaction(|tx| {
                async move { queue.ask(tx, &Asked { name: "once", key, payload: 7_i32, at: now }).await }
                    .scope_boxed()
            })
            .await;
        asked.unwrap()
    }
}

/// Writes an effect and ends the job in one transaction.
async fn effect(database: &Database, run: &Run, runner: i32) -> Result<(), Fault> {
    let text = format!("INSERT INTO effect (tick, runner) VALUES ({}, {runner})", run.tick().0);
    database
        .transaction(|tx| {
            let text = &text;
            async move {
                tx.execute_unprepared(text).await?;
                run.settle(tx).await
            }
            .scope_boxed()
        })
        .await
}

/// Does these jobs while `test` runs.
async fn working<T>(queues: &[Queue], jobs: &[Job], test: impl Future<Output = T>) -> T {
    let all = futures::future::join_all(queues.iter().map(|queue| queue.run(jobs, pending())));
    tokio::select! {
        _ = all => unreachable!("they work for ever"),
        done = test => done,
    }
}

fn broken() -> Fault {
    Fault::new(FaultCode::Internal, "it broke")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_four_runners_one_runs_each_tick() {
    const TICKS: i64 = 60;
    let bench = Bench::new().await;
    let every = Duration::from_millis(10);
    let mut running = Vec::new();
    for runner in 0..4 {
        let queue = bench.process().await;
        let database = Database::connect(&bench.url).await.unwrap();
        let job = Job::every("tick", every, &database, move |database, run| async move {
            // Others find it due, and held, meanwhile.
            tokio::task::yield_now().await;
            let text = format!("INSERT INTO effect (tick, runner) VALUES ({}, {runner})", run.tick().0);
            database.schema().execute_unprepared(&text).await?;
            Ok(())
        });
        running.push((queue, [job]));
    }
    let runners = running.iter().map(|(queue, jobs)| queue.run(jobs, pending()));
    let ticking = async {
        bench.until_job("the plan", |_| true).await;
        for tick in 1..=TICKS {
            bench.clock.advance(every);
            bench.until_effects(tick).await;
            bench.until_job("its end", |job| job.state == State::Waiting && job.attempts == 0).await;
        }
    };
    tokio::select! {
        _ = futures::future::join_all(runners) => unreachable!("they work for ever"),
        () = ticking => {}
    }
    assert_eq!(bench.effects().await, TICKS);
    assert_eq!(bench.number("SELECT COUNT(DISTINCT tick) AS number FROM effect").await, TICKS);
}

#[tokio::test]
async fn what_a_dead_runner_had_begun_another_does_once_and_the_dead_one_changes_nothing_any_more() {
    let bench = Bench::new().await;
    let (one, two) = (bench.process().await, bench.process().await);
    let (begun, mut runs) = mpsc::unbounded_channel::<Run>();
    let hanging = Job::asked("once", &begun, |begun, run| async move {
        begun.send(run).map_err(Fault::internal)?;
        pending().await
    });
    assert!(bench.ask(&one, "a").await);
    // Dropped in its midst.
    let dead = working(&[one], &[hanging], runs.recv()).await.unwrap();
    assert_eq!(bench.until_job("its claim", |job| job.state == State::Running).await.attempts, 1);
    let (database, id) = (bench.database.clone(), dead.id());
    assert!(!jobs::retry(&database, id, bench.clock.now()).await.unwrap(), "it is being run");
    assert!(!jobs::drop_job(&database, id, bench.clock.now()).await.unwrap(), "it is being run");
    bench.clock.advance(LEASE_IS_OVER);
    let doing = Job::asked("once", &database, |database, run| async move {
        assert_eq!((run.attempt(), run.payload::<i32>()?), (2, 7));
        effect(&database, &run, 2).await
    });
    working(&[two], &[doing], bench.until_none()).await;
    assert_eq!(bench.effects().await, 1);
    let late = effect(&database, &dead, 1).await;
    assert_eq!(late.unwrap_err().to_string(), "somebody else has taken this job over");
    assert_eq!(bench.effects().await, 1);
}

#[tokio::test]
async fn what_fails_is_tried_again_after_pauses_that_grow_and_then_waits_for_somebody_to_look() {
    let bench = Bench::new().await;
    let queue = bench.process().await;
    let (failures, nudge) = (Arc::new(AtomicI32::new(10)), Nudge::default());
    let state = (Arc::clone(&failures), bench.database.clone());
    let job = Job::asked("once", &state, |(failures, database), run| async move {
        if failures.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Err(broken());
        }
        effect(&database, &run, 0).await
    })
    .nudged_by(&nudge);
    assert!(bench.ask(&queue, "a").await);
    let test = async {
        let mut longest = Duration::from_secs(2);
        for tries in 1..10 {
            let job = bench
                .until_job("a failure", |job| job.attempts == tries && job.state == State::Retrying)
                .await;
            assert_eq!(job.last_error.as_deref(), Some("it broke"));
            let pause = job.run_at.unwrap().0 - bench.clock.now().0;
            let pause = Duration::from_micros(pause.unsigned_abs());
            assert!(longest / 2 <= pause && pause <= longest, "{tries}: {pause:?}, at most {longest:?}");
            longest *= 2;
            bench.clock.advance(pause);
            nudge.nudge();
        }
        let job = bench.until_job("the last failure", |job| job.state == State::Failed).await;
        assert_eq!((job.attempts, job.run_at), (10, None));
        assert!(!bench.ask(&queue, "a").await, "one of its key waits for somebody");
        let now = bench.clock.now();
        let failed = jobs::list(&bench.database, true, None, 10, now).await.unwrap();
        assert_eq!(failed, std::slice::from_ref(&job));
        assert!(jobs::retry(&bench.database, job.id, now).await.unwrap());
        nudge.nudge();
        bench.until_none().await;
        assert!(bench.ask(&queue, "a").await, "it is over");
    };
    working(std::slice::from_ref(&queue), &[job], test).await;
    assert_eq!(bench.effects().await, 1);
}

#[tokio::test]
async fn what_comes_round_goes_on_after_it_has_failed_and_a_panic_is_a_failure() {
    let bench = Bench::new().await;
    let queue = bench.process().await;
    let (failures, nudge) = (Arc::new(AtomicI32::new(11)), Nudge::default());
    let job = Job::every("tick", Duration::from_secs(1), &failures, |failures, _| async move {
        match failures.fetch_sub(1, Ordering::Relaxed) {
            2.. => Err(broken()),
            1 => panic!("out of order"),
            _ => Ok(()),
        }
    })
    .nudged_by(&nudge);
    let test = async {
        bench.until_job("the plan", |_| true).await;
        bench.clock.advance(Duration::from_secs(1));
        nudge.nudge();
        for tries in 1..=11 {
            let job = bench
                .until_job("a failure", |job| job.attempts == tries && job.state != State::Running)
                .await;
            assert_eq!(job.state == State::Failed, tries >= 10);
            if tries == 11 {
                assert_eq!(job.last_error.as_deref(), Some("it panicked: out of order"));
            }
            // A nudge does not shorten the pause.
            nudge.nudge();
            let pause = job.run_at.unwrap().0 - bench.clock.now().0;
            bench.clock.advance(Duration::from_micros(pause.unsigned_abs()));
            nudge.nudge();
        }
        let job = bench.until_job("success", |job| job.attempts == 0).await;
        assert_eq!((job.state, job.last_error), (State::Waiting, None));
    };
    working(std::slice::from_ref(&queue), &[job], test).await;
}

#[tokio::test]
async fn a_job_is_asked_for_once_and_not_where_the_transaction_rolls_back() {
    let bench = Bench::new().await;
    let queue = bench.process().await;
    let (asking, now) = (&queue, bench.clock.now());
    let rolled_back: Result<(), Fault> = bench
        .database
        .transaction(|tx| {
            async move {
                asking.ask(tx, &Asked { name: "once", key: "a", payload: (), at: now }).await?;
                Err(broken())
            }
            .scope_boxed()
        })
        .await;
    assert!(rolled_back.is_err());
    assert_eq!(bench.list().await, []);
    assert!(bench.ask(&queue, "a").await);
    assert!(!bench.ask(&queue, "a").await);
    assert!(bench.ask(&queue, "b").await);
    let listed = bench.list().await;
    // Which of two of the same millisecond comes first is chance.
    let mut keys: Vec<&str> = listed.iter().map(|job| &*job.key).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b"]);
    let page = jobs::list(&bench.database, false, Some(listed[0].id), 10, now).await.unwrap();
    assert_eq!(page, &listed[1..]);
    assert!(jobs::drop_job(&bench.database, listed[0].id, now).await.unwrap());
    assert!(!jobs::drop_job(&bench.database, listed[0].id, now).await.unwrap());
    assert_eq!(jobs::find(&bench.database, listed[0].id, now).await.unwrap(), None);
}

#[tokio::test]
async fn a_job_that_sees_nothing_to_do_writes_nothing() {
    let bench = Bench::new().await;
    let queue = bench.process().await;
    let looks = Arc::new(AtomicU32::new(0));
    let job = Job::every("sweep", Duration::from_millis(1), &bench.database, |database, run| async move {
        effect(&database, &run, 0).await
    })
    .looking(&looks, |looks| async move { Ok(looks.fetch_add(1, Ordering::Relaxed) >= 20) });
    let test = async {
        while looks.load(Ordering::Relaxed) < 20 {
            assert_eq!(bench.list().await, []);
            tokio::time::sleep(PAUSE).await;
        }
        bench.until_effects(1).await;
    };
    working(std::slice::from_ref(&queue), &[job], test).await;
}
