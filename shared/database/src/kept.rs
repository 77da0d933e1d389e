//! Connections that are kept: SQLite's.
//!
//! A pool pings each connection that comes back, from a task of its own. Every use of an SQLite connection is a message
//! to its thread and one back, so the ping doubles what a single statement costs. Nothing can happen to a connection to
//! a file: here it is taken out of its pool once. sea-orm gives a connection away only as a transaction; this one is
//! ended at once, and later ones begin and end by statements, which are prepared like all others.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use sea_orm::error::ConnAcquireErr;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    Statement, TransactionTrait as _,
};
use sea_orm_migration::async_trait;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, Semaphore};

/// How long to wait for a connection.
const TURN: Duration = Duration::from_secs(10);
/// How often it is looked whether another process has written.
const LOOK: Duration = Duration::from_secs(1);

/// Statements around a transaction; not counted.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";

/// Takes a connection out of a pool.
pub(crate) async fn keep(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let connection = pool.begin().await?;
    connection.execute_unprepared(COMMIT).await?;
    Ok(connection)
}

/// The connection that writes: one writer at a time.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    connection: Arc<Mutex<DatabaseTransaction>>,
    /// The file's version as this connection sees it: commits of other connections change it, its own do not.
    version: Arc<AtomicI64>,
    unseen: Arc<Notify>,
}

impl Writing {
    pub(crate) async fn new(connection: DatabaseTransaction) -> Result<Self, DbErr> {
        let version = data_version(&connection).await?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            version: Arc::new(version.into()),
            unseen: Arc::default(),
        })
    }

    /// Waits for the writers before.
    pub(crate) async fn turn(&self) -> Result<OwnedMutexGuard<DatabaseTransaction>, DbErr> {
        if let Ok(free) = Arc::clone(&self.connection).try_lock_owned() {
            return Ok(free);
        }
        let waited = tokio::time::timeout(TURN, Arc::clone(&self.connection).lock_owned()).await;
        waited.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }

    /// Begins a transaction, as a writer.
    pub(crate) async fn begin(&self) -> Result<Turn, DbErr> {
        let connection = Some(self.turn().await?);
        let turn = Turn { connection, commits: false, unseen: Arc::clone(&self.unseen) };
        turn.run(BEGIN).await?;
        Ok(turn)
    }

    /// Waits until something may have been written that nobody here was told of: by another process, or by a COMMIT
    /// that failed or that nobody waited for.
    pub(crate) async fn written_unseen(&self) {
        loop {
            tokio::select! {
                () = self.unseen.notified() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            // Who cannot tell must take it to be so.
            if self.others_have_written().await.unwrap_or(true) {
                return;
            }
        }
    }

    async fn others_have_written(&self) -> Result<bool, DbErr> {
        let version = data_version(&*self.turn().await?).await?;
        Ok(self.version.swap(version, Ordering::AcqRel) != version)
    }
}

async fn data_version(connection: &DatabaseTransaction) -> Result<i64, DbErr> {
    let ask = Statement::from_string(DbBackend::Sqlite, "PRAGMA data_version");
    let answer = connection.query_one_raw(ask).await?;
    answer.ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?.try_get_by_index(0)
}

/// A writer's turn with a transaction begun, or about to be. It is rolled back unless it is committed.
#[derive(Debug)]
pub(crate) struct Turn {
    connection: Option<OwnedMutexGuard<DatabaseTransaction>>,
    commits: bool,
    unseen: Arc<Notify>,
}

impl Turn {
    /// The connection, until the end.
    pub(crate) fn connection(&self) -> Result<&DatabaseTransaction, DbErr> {
        self.connection.as_deref().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    async fn run(&self, text: &str) -> Result<(), DbErr> {
        let statement = Statement::from_string(DbBackend::Sqlite, text);
        self.connection()?.execute_raw(statement).await.map(drop)
    }

    pub(crate) async fn commit(mut self) -> Result<(), DbErr> {
        self.commits = true;
        self.run(COMMIT).await?;
        self.connection = None;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<(), DbErr> {
        self.run(ROLLBACK).await?;
        self.connection = None;
        Ok(())
    }
}

impl Drop for Turn {
    /// The next writer's turn comes when it is rolled back, also where BEGIN or COMMIT were under way.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let unseen = self.commits.then(|| Arc::clone(&self.unseen));
        // Outside of a runtime the connections are closing, which rolls back as well.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // It fails where nothing was begun, or where it is committed already.
                let _ = connection.execute_raw(Statement::from_string(DbBackend::Sqlite, ROLLBACK)).await;
                if let Some(unseen) = unseen {
                    unseen.notify_one();
                }
            });
        }
    }
}

/// The connections that read.
#[derive(Clone, Debug)]
pub(crate) struct Reading(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    free: StdMutex<Vec<DatabaseTransaction>>,
    count: Semaphore,
}

/// A connection for one statement.
struct Lent<'s> {
    shelf: &'s Shelf,
    connection: Option<DatabaseTransaction>,
    _permit: tokio::sync::SemaphorePermit<'s>,
}

impl Reading {
    pub(crate) fn new(connections: Vec<DatabaseTransaction>) -> Self {
        let count = Semaphore::new(connections.len());
        Self(Arc::new(Shelf { free: StdMutex::new(connections), count }))
    }

    async fn lend(&self) -> Result<Lent<'_>, DbErr> {
        let permit = match self.0.count.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let waited = tokio::time::timeout(TURN, self.0.count.acquire()).await;
                let acquired = waited.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
                acquired.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?
            }
        };
        let connection = self.0.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Lent { shelf: &self.0, connection, _permit: permit })
    }
}

impl Lent<'_> {
    fn connection(&self) -> Result<&DatabaseTransaction, DbErr> {
        self.connection.as_ref().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }
}

impl Drop for Lent<'_> {
    /// A statement that nobody waits for any more goes on in the connection's thread; the next one comes after it.
    fn drop(&mut self) {
        let mut free = self.shelf.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.connection.take());
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reading {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.lend().await?.connection()?.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        self.lend().await?.connection()?.execute_unprepared(text).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.lend().await?.connection()?.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.lend().await?.connection()?.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::access::WriteBy;
    use crate::{Database, ScopedFutureExt as _};
    use common::Fault;

    async fn open(folder: &tempfile::TempDir) -> (Database, Writing) {
        let url = format!("sqlite:{}/one.sqlite", folder.path().display());
        let database = Database::connect(&url).await.unwrap();
        let WriteBy::Kept(writing) = &database.write.0 else { panic!("SQLite's connections are kept") };
        let writing = writing.clone();
        (database, writing)
    }

    async fn write(database: &Database) {
        let written: Result<(), Fault> = database
            .transaction(|tx| {
                async move { Ok(tx.execute_unprepared("INSERT INTO thing VALUES (1)").await.map(drop)?) }
                    .scope_boxed()
            })
            .await;
        written.unwrap();
    }

    #[tokio::test]
    async fn what_others_have_written_is_known_and_what_this_process_has_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let (database, writing) = open(&folder).await;
        database.schema().execute_unprepared("CREATE TABLE thing (id INTEGER)").await.unwrap();
        write(&database).await;
        assert!(!writing.others_have_written().await.unwrap());
        let (other, _) = open(&folder).await;
        write(&other).await;
        database.written_unseen().await;
        assert!(!writing.others_have_written().await.unwrap());
    }

    #[tokio::test]
    async fn of_a_commit_that_nobody_waits_for_everybody_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (database, writing) = open(&folder).await;
        database.schema().execute_unprepared("CREATE TABLE thing (id INTEGER)").await.unwrap();
        drop(writing.begin().await.unwrap());
        // The connection's thread may be quicker than the first look.
        loop {
            let turn = writing.begin().await.unwrap();
            turn.run("INSERT INTO thing VALUES (1)").await.unwrap();
            let commit = pin!(turn.commit());
            if commit.poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                break;
            }
        }
        writing.unseen.notified().await;
    }
}
