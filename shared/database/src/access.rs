//! Where to read and where to write, whichever database it is: SQLite's connections are kept, MySQL's pooled, and some of
//! what is read comes from replicas.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::async_trait;

use crate::kept::{Reading, Turn, Writing};
use crate::primary::Primary;
use crate::replica::{self, Replicated};
use crate::statements;

/// Where to read outside of a transaction.
#[derive(Clone, Debug)]
pub struct Reader(pub(crate) ReadBy);

#[derive(Clone, Debug)]
pub(crate) enum ReadBy {
    Kept(Reading),
    Pool(Primary),
    Replicated(Arc<Replicated>),
}

/// Where to write outside of a transaction: each statement is one by itself. What is read here is what writers see.
#[derive(Clone, Debug)]
pub struct Writer(pub(crate) WriteBy);

#[derive(Clone, Debug)]
pub(crate) enum WriteBy {
    Kept(Writing),
    Pool(Primary),
}

/// A transaction under way. It is rolled back where it is dropped before its end.
#[derive(Debug)]
pub struct Tx(Under);

#[derive(Debug)]
enum Under {
    Kept(Turn),
    Pool(DatabaseTransaction),
}

impl Writer {
    /// Begins a transaction: as a writer in SQLite, READ COMMITTED in MySQL.
    pub(crate) async fn begin(&self) -> Result<Tx, DbErr> {
        replica::written();
        match &self.0 {
            WriteBy::Kept(writing) => writing.begin().await.map(|turn| Tx(Under::Kept(turn))),
            WriteBy::Pool(primary) => primary.begin().await.map(|tx| Tx(Under::Pool(tx))),
        }
    }
}

impl Tx {
    /// Makes everything since the beginning so.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self.0 {
            Under::Kept(turn) => turn.commit().await,
            Under::Pool(tx) => tx.commit().await,
        }
    }

    /// Undoes everything since the beginning.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        match self.0 {
            Under::Kept(turn) => turn.rollback().await,
            Under::Pool(tx) => tx.rollback().await,
        }
    }

    fn connection(&self) -> Result<&DatabaseTransaction, DbErr> {
        match &self.0 {
            Under::Kept(turn) => turn.connection(),
            Under::Pool(tx) => Ok(tx),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            ReadBy::Kept(_) => DbBackend::Sqlite,
            ReadBy::Pool(primary) => primary.get_database_backend(),
            ReadBy::Replicated(servers) => servers.primary().get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.0 {
            ReadBy::Kept(reading) => reading.execute_raw(statement).await,
            ReadBy::Pool(primary) => primary.execute_raw(statement).await,
            ReadBy::Replicated(servers) => servers.primary().execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        // Of what is not prepared the connections themselves say nothing.
        statements::record(text);
        match &self.0 {
            ReadBy::Kept(reading) => reading.execute_unprepared(text).await,
            ReadBy::Pool(primary) => primary.execute_unprepared(text).await,
            ReadBy::Replicated(servers) => servers.primary().execute_unprepared(text).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            ReadBy::Kept(reading) => reading.query_one_raw(statement).await,
            ReadBy::Pool(primary) => primary.query_one_raw(statement).await,
            ReadBy::Replicated(servers) => {
                servers.ask(statement, |server, text| server.query_one_raw(text)).await
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            ReadBy::Kept(reading) => reading.query_all_raw(statement).await,
            ReadBy::Pool(primary) => primary.query_all_raw(statement).await,
            ReadBy::Replicated(servers) => {
                servers.ask(statement, |server, text| server.query_all_raw(text)).await
            }
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            WriteBy::Kept(_) => DbBackend::Sqlite,
            WriteBy::Pool(primary) => primary.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        replica::written();
        match &self.0 {
            WriteBy::Kept(writing) => writing.turn().await?.execute_raw(statement).await,
            WriteBy::Pool(primary) => primary.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        statements::record(text);
        replica::written();
        match &self.0 {
            WriteBy::Kept(writing) => writing.turn().await?.execute_unprepared(text).await,
            WriteBy::Pool(primary) => primary.execute_unprepared(text).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            WriteBy::Kept(writing) => writing.turn().await?.query_one_raw(statement).await,
            WriteBy::Pool(primary) => primary.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            WriteBy::Kept(writing) => writing.turn().await?.query_all_raw(statement).await,
            WriteBy::Pool(primary) => primary.query_all_raw(statement).await,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Under::Kept(_) => DbBackend::Sqlite,
            Under::Pool(tx) => tx.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.connection()?.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        statements::record(text);
        self.connection()?.execute_unprepared(text).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.connection()?.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connection()?.query_all_raw(statement).await
    }
}
