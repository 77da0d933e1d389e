//! Replicas: which server answers a statement that reads.
//!
//! Only what a viewer's query reads comes from a replica, and only within [`reading`]: everything else (mutations,
//! transactions, workers, calls between subgraphs) decides something and reads the primary. A replica is used while it
//! is known to have all that the primary had a bounded time ago, and for a viewer who wrote since then only once it is
//! known to have that. Nobody waits for a replica: the primary answers sooner. What a replica cannot answer the primary
//! is asked once.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::{Mark, Position, is_out_of_reach};
use futures::future::BoxFuture;
use metrics::{Counter, Gauge, counter, gauge};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::primary::Primary;

/// How often the servers are asked how far they have come.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long a server may take to say so.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a replica may take for a statement before the primary is asked.
const STATEMENT: Duration = Duration::from_secs(2);
/// Positions of the primary that are remembered until a replica reaches them.
const REMEMBERED: usize = 512;

const PRIMARY_POSITION: &str = "SELECT @@gtid_binlog_pos AS position";
const REPLICA_POSITION: &str = "SELECT @@gtid_slave_pos AS position";

/// What a piece of work may read from a replica.
struct Scope {
    /// Nothing that is older.
    mark: Option<Mark>,
    /// It has written itself: from now on it reads the primary.
    written: Cell<bool>,
    /// It was shown more than the replicas know, because its viewer has written.
    ahead: Cell<bool>,
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// Runs work that only shows what it reads, and so may read from a replica; from none that has not come to `mark`. Says
/// whether it was shown more than that, so that the viewer needs another mark.
pub async fn reading<T>(mark: Option<Mark>, work: impl Future<Output = T>) -> (T, bool) {
    let scope = Scope { mark, written: Cell::new(false), ahead: Cell::new(false) };
    let work = async {
        let output = work.await;
        (output, SCOPE.with(|scope| scope.written.get() || scope.ahead.get()))
    };
    SCOPE.scope(scope, work).await
}

/// Says that the work under way has written something.
pub(crate) fn written() {
    // Outside of `reading` the primary is read anyway.
    let _ = SCOPE.try_with(|scope| scope.written.set(true));
}

/// A primary with its replicas.
#[derive(Debug)]
pub(crate) struct Replicated {
    primary: Primary,
    replicas: Vec<Replica>,
    /// How far behind a replica may be that is used.
    bound: Duration,
    next: AtomicUsize,
    newest: Mutex<Position>,
    served: Served,
}

/// How many statements were answered where.
#[derive(Debug)]
struct Served {
    replica: Counter,
    /// By the primary: what may not come from a replica at all.
    deciding: Counter,
    /// The viewer has written what no replica is known to have.
    own_write: Counter,
    /// No replica is new enough.
    behind: Counter,
    /// A replica failed, and the primary was asked in its place.
    failed: Counter,
}

#[derive(Debug)]
struct Replica {
    server: String,
    pool: DatabaseConnection,
    state: Mutex<State>,
    lag: Gauge,
    up: Gauge,
}

#[derive(Debug, Default)]
struct State {
    /// How far it has come at least.
    reached: Position,
    /// It has all that the primary had then; `None` while it cannot be reached.
    fresh: Option<Instant>,
    /// Where the primary was at times before, oldest first.
    ahead: VecDeque<(Instant, Position)>,
}

/// Why the primary is read.
enum Instead {
    Deciding,
    OwnWrite,
    Behind,
}

impl Replicated {
    /// `replicas` with the address of each; `database` names the metrics' series.
    pub(crate) fn new(
        database: &str,
        primary: Primary,
        replicas: Vec<(String, DatabaseConnection)>,
        bound: Duration,
    ) -> Self {
        let served = |by: &'static str, because: &'static str| {
            let database = database.to_owned();
            counter!("database_reads_total", "database" => database, "server" => by, "because" => because)
        };
        let replicas = replicas.into_iter().map(|(server, pool)| {
            let labels = [("database", database.to_owned()), ("replica", server.clone())];
            let (lag, up) =
                (gauge!("database_replica_lag_seconds", &labels), gauge!("database_replica_up", &labels));
            Replica { server, pool, state: Mutex::default(), lag, up }
        });
        Self {
            primary,
            replicas: replicas.collect(),
            bound,
            next: AtomicUsize::new(0),
            newest: Mutex::default(),
            served: Served {
                replica: served("replica", ""),
                deciding: served("primary", "deciding"),
                own_write: served("primary", "own_write"),
                behind: served("primary", "replica_behind"),
                failed: served("primary", "replica_failed"),
            },
        }
    }

    /// The primary.
    pub(crate) fn primary(&self) -> &Primary {
        &self.primary
    }

    /// How long after a write a replica that is used may not know of it.
    pub(crate) fn bound(&self) -> Duration {
        self.bound
    }

    /// Asks a statement that only reads, where it may be asked.
    pub(crate) async fn ask<T, F>(&self, statement: Statement, ask: F) -> Result<T, DbErr>
    where
        F: for<'c> Fn(&'c DatabaseConnection, Statement) -> BoxFuture<'c, Result<T, DbErr>>,
    {
        match self.choose() {
            Ok(replica) => {
                let answer = tokio::time::timeout(STATEMENT, ask(&replica.pool, statement.clone())).await;
                match answer {
                    Ok(Ok(answer)) => {
                        self.served.replica.increment(1);
                        return Ok(answer);
                    }
                    Ok(Err(error)) if !is_out_of_reach(&error) => {}
                    _ => replica.lose(),
                }
                self.served.failed.increment(1);
            }
            Err(Instead::Deciding) => self.served.deciding.increment(1),
            Err(Instead::OwnWrite) => {
                // Outside of `reading` nobody has a mark.
                let _ = SCOPE.try_with(|scope| scope.ahead.set(true));
                self.served.own_write.increment(1);
            }
            Err(Instead::Behind) => self.served.behind.increment(1),
        }
        self.primary.guarded(ask(self.primary.pool(), statement)).await
    }

    fn choose(&self) -> Result<&Replica, Instead> {
        let mark = SCOPE
            .try_with(|scope| (!scope.written.get()).then(|| scope.mark.clone()))
            .map_err(|_| Instead::Deciding)?
            .ok_or(Instead::OwnWrite)?;
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut why = Instead::Behind;
        for place in 0..self.replicas.len() {
            let replica = &self.replicas[(first.wrapping_add(place)) % self.replicas.len()];
            let state = replica.state();
            if state.fresh.is_none_or(|fresh| fresh.elapsed() > self.bound) {
                continue;
            }
            match &mark {
                None => return Ok(replica),
                Some(Mark::At(position)) if state.reached.covers(position) => return Ok(replica),
                Some(_) => why = Instead::OwnWrite,
            }
        }
        Err(why)
    }

    /// Where the primary is now.
    pub(crate) async fn mark(&self) -> Mark {
        match position(&self.primary, PRIMARY_POSITION).await {
            Some(position) => Mark::At(position),
            None => Mark::Unknown,
        }
    }

    /// Watches the replicas, for ever.
    pub(crate) async fn watch(&self) {
        loop {
            self.look().await;
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn look(&self) {
        let asked = Instant::now();
        let known = position(&self.primary, PRIMARY_POSITION).await;
        let newest = {
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            // A primary that cannot be reached takes no writes of ours: what was its newest still is.
            if let Some(known) = known {
                *newest = known;
            }
            newest.clone()
        };
        let looking = self.replicas.iter().map(|replica| replica.look(asked, &newest));
        futures::future::join_all(looking).await;
    }
}

impl Replica {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self, asked: Instant, newest: &Position) {
        let Some(reached) = position(&self.pool, REPLICA_POSITION).await else { return self.lose() };
        let mut state = self.state();
        let was_lost = state.fresh.is_none();
        state.see(asked, newest, reached);
        self.up.set(1.0);
        if let Some(fresh) = state.fresh {
            self.lag.set(fresh.elapsed().as_secs_f64());
            if was_lost {
                tracing::info!(replica = self.server, "a replica is used");
            }
        }
    }

    /// Uses it no more until it has been seen again.
    fn lose(&self) {
        self.up.set(0.0);
        let mut state = self.state();
        if state.fresh.take().is_some() {
            tracing::warn!(replica = self.server, "a replica is lost: the primary is read");
        }
        state.ahead.clear();
    }
}

impl State {
    /// The primary was at `newest` at the time `asked`; the replica is at `reached` now.
    fn see(&mut self, asked: Instant, newest: &Position, reached: Position) {
        match self.ahead.back_mut() {
            Some((time, position)) if position == newest => *time = asked,
            _ => self.ahead.push_back((asked, newest.clone())),
        }
        if self.ahead.len() > REMEMBERED {
            self.ahead.pop_front();
        }
        while let Some((time, position)) = self.ahead.front()
            && reached.covers(position)
        {
            self.fresh = Some(*time);
            self.ahead.pop_front();
        }
        self.reached = reached;
    }
}

async fn position(server: &impl ConnectionTrait, question: &'static str) -> Option<Position> {
    let statement = Statement::from_string(server.get_database_backend(), question);
    let answer = tokio::time::timeout(PATIENCE, server.query_one_raw(statement)).await.ok()?.ok()??;
    Position::of_gtids(&answer.try_get::<String>("", "position").ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(gtids: &str) -> Position {
        Position::of_gtids(gtids).unwrap()
    }

    #[test]
    fn a_replica_is_as_new_as_the_newest_look_at_the_primary_that_it_covers() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut state = State::default();
        state.see(after(0), &at("0-1-10"), at("0-1-9"));
        assert_eq!(state.fresh, None, "it has never had all of the primary");
        state.see(after(1), &at("0-1-12"), at("0-1-11"));
        assert_eq!(state.fresh, Some(after(0)));
        state.see(after(2), &at("0-1-13"), at("0-1-11"));
        assert_eq!(state.fresh, Some(after(0)), "it stands still");
        state.see(after(3), &at("0-1-14"), at("0-1-13"));
        assert_eq!(state.fresh, Some(after(2)));
        state.see(after(4), &at("0-1-14"), at("0-1-14"));
        assert_eq!(state.fresh, Some(after(4)), "nothing was written since");
    }
}
