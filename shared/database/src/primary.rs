//! The primary: a pool of connections to MySQL or MariaDB, and a breaker, so that a server that is away costs nobody the
//! wait for a connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Breaker, is_away};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, RuntimeErr, Statement, TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::async_trait;

/// How long whoever looks whether it is back waits for a connection.
const LOOK: Duration = Duration::from_millis(500);

/// A primary. Clones share its connections and its breaker.
#[derive(Clone, Debug)]
pub(crate) struct Primary {
    pool: DatabaseConnection,
    breaker: Arc<Breaker>,
}

impl Primary {
    /// The primary behind `pool`; `database` names it in logs and metrics.
    pub(crate) fn new(database: &str, pool: DatabaseConnection) -> Self {
        Self { pool, breaker: Arc::new(Breaker::new(format!("database {database}"))) }
    }

    /// Its connections, without the breaker.
    pub(crate) fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Begins a transaction. What becomes of it later is told by the next one.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            isolation_level: Some(IsolationLevel::ReadCommitted),
            ..TransactionOptions::default()
        };
        self.guarded(self.pool.begin_with_options(options)).await
    }

    /// Asks it, unless it is away.
    pub(crate) async fn guarded<T>(&self, ask: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let mut turn = self.breaker.turn(Instant::now()).ok_or_else(resting)?;
        if turn.is_look() {
            match tokio::time::timeout(LOOK, self.look()).await {
                Ok(true) => turn.succeeded(),
                Ok(false) | Err(_) => {
                    turn.failed(Instant::now());
                    return Err(resting());
                }
            }
            turn = self.breaker.turn(Instant::now()).ok_or_else(resting)?;
        }
        let answer = ask.await;
        match &answer {
            Err(error) if is_away(error) => turn.failed(Instant::now()),
            _ => turn.succeeded(),
        }
        answer
    }

    /// Whether it takes a connection. Not by way of the pool, which goes on trying while it is refused, and which still
    /// has connections of before: each would fail somebody, so they are dropped.
    async fn look(&self) -> bool {
        let pool = self.pool.get_mysql_connection_pool();
        let Ok(connection) = pool.connect_options().connect().await else { return false };
        while let Some(old) = pool.try_acquire() {
            drop(old.detach());
        }
        // It has served its purpose, however it ends.
        let _ = connection.close().await;
        true
    }
}

/// It was away a moment ago.
fn resting() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal("the database did not answer lately, and is not asked".to_owned()))
}

#[async_trait::async_trait]
impl ConnectionTrait for Primary {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.guarded(self.pool.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        self.guarded(self.pool.execute_unprepared(text)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.guarded(self.pool.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.guarded(self.pool.query_all_raw(statement)).await
    }
}
