//! Connections that are kept: SQLite's.
//!
//! A pool pings each connection that comes back, from a task of its own. Every use of an SQLite connection is a message
//! to its thread and one back, so the ping doubles what a single statement costs. Nothing can happen to a connection to
//! a file: here it is taken out of its pool once. sea-orm gives a connection away only as a transaction; this one is
//! ended at once, and later ones begin and end by statements, which are prepared like all others.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use sea_orm::error::ConnAcquireErr;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    Statement, TransactionTrait as _,
};
use sea_orm_migration::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

/// How long to wait for a connection.
const TURN: Duration = Duration::from_secs(10);

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
pub(crate) struct Writing(Arc<Mutex<DatabaseTransaction>>);

impl Writing {
    pub(crate) fn new(connection: DatabaseTransaction) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    /// Waits for the writers before.
    pub(crate) async fn turn(&self) -> Result<OwnedMutexGuard<DatabaseTransaction>, DbErr> {
        if let Ok(free) = Arc::clone(&self.0).try_lock_owned() {
            return Ok(free);
        }
        let waited = tokio::time::timeout(TURN, Arc::clone(&self.0).lock_owned()).await;
        waited.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }

    /// Begins a transaction, as a writer.
    pub(crate) async fn begin(&self) -> Result<Turn, DbErr> {
        let turn = Turn(Some(self.turn().await?));
        turn.run(BEGIN).await?;
        Ok(turn)
    }
}

/// A writer's turn with a transaction begun, or about to be. It is rolled back unless it is committed.
#[derive(Debug)]
pub(crate) struct Turn(Option<OwnedMutexGuard<DatabaseTransaction>>);

impl Turn {
    /// The connection, until the end.
    pub(crate) fn connection(&self) -> Result<&DatabaseTransaction, DbErr> {
        self.0.as_deref().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    async fn run(&self, text: &str) -> Result<(), DbErr> {
        let statement = Statement::from_string(DbBackend::Sqlite, text);
        self.connection()?.execute_raw(statement).await.map(drop)
    }

    pub(crate) async fn commit(mut self) -> Result<(), DbErr> {
        self.run(COMMIT).await?;
        self.0 = None;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<(), DbErr> {
        self.run(ROLLBACK).await?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Turn {
    /// The next writer's turn comes when it is rolled back, also where BEGIN or COMMIT were under way.
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else { return };
        // Outside of a runtime the connections are closing, which rolls back as well.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // It fails where nothing was begun, or where it is committed already.
                let _ = connection.execute_raw(Statement::from_string(DbBackend::Sqlite, ROLLBACK)).await;
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
