//! One subgraph's database, opened by URL.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::Mark;
use sea_orm::error::ConnAcquireErr;
use sea_orm::sqlx::{self, Executor as _, MySql};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use tokio::sync::Notify;

use crate::access::{ReadBy, Reader, WriteBy, Writer};
use crate::kept::{self, Reading, Writing};
use crate::primary::Primary;
use crate::replica::Replicated;
use crate::{Options, statements};

/// How many connections read beside the one that writes in SQLite.
const SQLITE_READERS: u32 = 4;

/// A subgraph's database: where to read and where to write.
#[derive(Clone, Debug)]
pub struct Database {
    read: Reader,
    newest: Reader,
    pub(crate) write: Writer,
    /// How to open it once more, for MySQL.
    options: Option<Arc<(Options, Server)>>,
    outbox: Arc<OutboxSignal>,
}

#[derive(Debug, Default)]
struct OutboxSignal {
    written: AtomicBool,
    committed: Notify,
}

/// Why a database could not be opened. The text names no password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL's scheme is neither `sqlite:` nor `mysql:`.
    #[error("'{0}' is no database URL: it must begin with sqlite: or mysql:")]
    Scheme(String),
    /// The folder of an SQLite file cannot be written.
    #[error("the folder {folder} cannot be written: {source}")]
    Folder {
        /// Where the file was to be.
        folder: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is none, and none is to be made.
    #[error("there is no database {0}: run `techpotli migrate` first")]
    Missing(String),
    /// Replicas of something else than MariaDB.
    #[error(
        "replicas are read of MariaDB only: this server does not say how far a transaction is from its replicas"
    )]
    Replicas,
    /// The server or the file refused.
    #[error("the database does not open: {0}")]
    Open(#[from] DbErr),
}

impl Database {
    /// Opens a database with the defaults.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::open(&Options::new(url)).await
    }

    /// Opens a database. A replica that cannot be reached is none until it can.
    pub async fn open(options: &Options) -> Result<Self, ConnectError> {
        match options.url.split(':').next() {
            Some("sqlite") if options.replicas.is_empty() => Self::sqlite(&options.url).await,
            Some("sqlite") => Err(ConnectError::Replicas),
            Some("mysql" | "mariadb") => Self::mysql(options).await,
            _ => Err(ConnectError::Scheme(options.url.split("//").next().unwrap_or_default().to_owned())),
        }
    }

    async fn sqlite(url: &str) -> Result<Self, ConnectError> {
        let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
        if let Some(folder) = Path::new(path).parent() {
            std::fs::create_dir_all(folder)
                .map_err(|source| ConnectError::Folder { folder: folder.display().to_string(), source })?;
        }
        let pool = |size| {
            let mut options = ConnectOptions::new(format!("sqlite://{path}?mode=rwc"));
            options.max_connections(size).min_connections(1).map_sqlx_sqlite_opts(|options| {
                options
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "NORMAL")
                    .pragma("cache_size", "-16384")
                    .pragma("temp_store", "MEMORY")
                    .pragma("foreign_keys", "OFF")
                    .busy_timeout(Duration::from_secs(10))
                    .statement_cache_capacity(256)
            });
            common_options(options)
        };
        let write = Writing::new(kept::keep(&open(pool(1)).await?).await?).await?;
        let pool = open(pool(SQLITE_READERS)).await?;
        let mut readers = Vec::new();
        for _ in 0..SQLITE_READERS {
            readers.push(kept::keep(&pool).await?);
        }
        let read = Reader(ReadBy::Kept(Reading::new(readers)));
        Ok(Self {
            newest: read.clone(),
            read,
            write: Writer(WriteBy::Kept(write)),
            options: None,
            outbox: Arc::default(),
        })
    }

    async fn mysql(options: &Options) -> Result<Self, ConnectError> {
        let server = mysql_server(&options.url, options.create).await?;
        let name = options.url.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default();
        let primary = Primary::new(name, open(mysql_options(&options.url, options, server)).await?);
        let (newest, write) = (Reader(ReadBy::Pool(primary.clone())), Writer(WriteBy::Pool(primary.clone())));
        let mut read = newest.clone();
        if !options.replicas.is_empty() {
            if !matches!(server, Server::MariaDb) {
                return Err(ConnectError::Replicas);
            }
            let mut replicas = Vec::new();
            for url in &options.replicas {
                let mut pooled = mysql_options(url, options, server);
                pooled.min_connections(0).connect_lazy(true);
                replicas.push((address(url).to_owned(), open(pooled).await?));
            }
            let servers = Replicated::new(name, primary, replicas, options.replica_lag);
            read = Reader(ReadBy::Replicated(Arc::new(servers)));
        }
        let options = Some(Arc::new((options.clone(), server)));
        Ok(Self { read, newest, write, options, outbox: Arc::default() })
    }

    /// Where to read outside a transaction. What a query shows may come from a replica, see [`crate::reading`].
    pub fn read(&self) -> &Reader {
        &self.read
    }

    /// Where to read outside a transaction what must be as it is now, whoever asks.
    pub fn newest(&self) -> &Reader {
        &self.newest
    }

    /// Where to read what memory is to keep, which was told to forget some of it at `changed`: a replica may not know
    /// of that change yet.
    pub fn read_since(&self, changed: Option<Instant>) -> &Reader {
        match (self.servers(), changed) {
            (Some(servers), Some(changed)) if changed.elapsed() <= servers.bound() => &self.newest,
            _ => &self.read,
        }
    }

    /// How far the database has come, for whoever has just written to it; `None` where nothing is read from replicas.
    pub async fn mark(&self) -> Option<Mark> {
        match self.servers() {
            Some(servers) => Some(servers.mark().await),
            None => None,
        }
    }

    /// Whether some of what is read comes from replicas.
    pub fn has_replicas(&self) -> bool {
        self.servers().is_some()
    }

    /// Watches how far the replicas are, for ever; without that none is read.
    pub async fn watch_replicas(&self) {
        if let Some(servers) = self.servers() {
            servers.watch().await;
        }
    }

    /// Whether [`Database::written_unseen`] tells.
    pub fn tells_of_others(&self) -> bool {
        matches!(self.write.0, WriteBy::Kept(_))
    }

    /// Waits until something may have been written that nobody in this process was told of: by another process, or by a
    /// transaction whose end is not known. Of SQLite it is known within about a second, of MySQL never.
    pub async fn written_unseen(&self) {
        match &self.write.0 {
            WriteBy::Kept(writing) => writing.written_unseen().await,
            WriteBy::Pool(_) => std::future::pending().await,
        }
    }

    /// A connection of its own, on which a statement may take as long as it does.
    pub(crate) async fn alone(&self) -> Result<DatabaseConnection, DbErr> {
        let options =
            self.options.as_deref().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?;
        let (options, server) = options;
        let alone = Options { connections: 1, statement_timeout: Duration::ZERO, ..options.clone() };
        open(mysql_options(&alone.url, &alone, *server)).await
    }

    fn servers(&self) -> Option<&Replicated> {
        match &self.read.0 {
            ReadBy::Replicated(servers) => Some(servers),
            ReadBy::Kept(_) | ReadBy::Pool(_) => None,
        }
    }

    /// Where to write outside a transaction, and to read what only writers see yet.
    pub fn schema(&self) -> &Writer {
        &self.write
    }

    /// Which of the two it is.
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Says that the transaction under way writes an outbox row, so that its commit wakes the relay.
    pub fn outbox_written(&self) {
        self.outbox.written.store(true, Ordering::Release);
    }

    /// Waits for the next commit after [`Database::outbox_written`].
    pub async fn outbox_committed(&self) {
        self.outbox.committed.notified().await;
    }

    pub(crate) fn committed(&self) {
        if self.outbox.written.swap(false, Ordering::AcqRel) {
            self.outbox.committed.notify_one();
        }
    }
}

fn common_options(mut options: ConnectOptions) -> ConnectOptions {
    options
        .sqlx_logging(false)
        .test_before_acquire(false)
        // Whoever waits for longer waits for a database that is away, or behind a queue that does not end. When some have
        // waited in vain, nobody does any more: see `primary`.
        .acquire_timeout(Duration::from_secs(3))
        .idle_timeout(None)
        .max_lifetime(None);
    options
}

async fn open(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let mut connection = sea_orm::Database::connect(options).await?;
    connection.set_metric_callback(|info| {
        statements::record(&info.statement.sql);
        let system = match info.statement.db_backend {
            DbBackend::Sqlite => "sqlite",
            _ => "mysql",
        };
        trace::statement(system, &info.statement.sql, info.elapsed, info.failed);
    });
    Ok(connection)
}

/// What speaks MySQL's protocol.
#[derive(Debug, Clone, Copy)]
enum Server {
    MySql,
    MariaDb,
}

fn mysql_options(url: &str, options: &Options, server: Server) -> ConnectOptions {
    let timeout = options.statement_timeout;
    // One statement, so that a new connection costs one exchange.
    let session = match server {
        Server::MariaDb => {
            format!("SET SESSION tx_isolation='READ-COMMITTED', max_statement_time={}", timeout.as_secs_f64())
        }
        Server::MySql => format!(
            "SET SESSION transaction_isolation='READ-COMMITTED', max_execution_time={}",
            timeout.as_millis()
        ),
    };
    let mut pooled = ConnectOptions::new(url);
    pooled.max_connections(options.connections).min_connections(1);
    pooled.map_sqlx_mysql_pool_opts(move |pool: sqlx::pool::PoolOptions<MySql>| {
        let session = session.clone();
        pool.after_connect(move |connection, _| {
            let statement = sqlx::AssertSqlSafe(session.clone());
            Box::pin(async move { connection.execute(statement).await.map(drop) })
        })
    });
    common_options(pooled)
}

/// Host and port of a URL, which may be shown.
fn address(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or_default();
    rest.rsplit('@').next().unwrap_or_default()
}

/// What the server of a URL is. Where its database is missing, it is made, or refused; the server must know the user.
async fn mysql_server(url: &str, create: bool) -> Result<Server, ConnectError> {
    let (server, name) = url.rsplit_once('/').unwrap_or((url, ""));
    let name = name.split('?').next().unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let message = "a mysql: URL must end with a database name of letters, digits and _";
        return Err(DbErr::Custom(message.into()).into());
    }
    let mut options = ConnectOptions::new(format!("{server}/"));
    options.max_connections(1).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await?;
    if create {
        let text = format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        connection.execute_unprepared(&text).await?;
    } else {
        let text = format!("SELECT 1 FROM information_schema.schemata WHERE schema_name = '{name}'");
        let known = connection.query_one_raw(Statement::from_string(DbBackend::MySql, text)).await?;
        known.ok_or_else(|| ConnectError::Missing(name.to_owned()))?;
    }
    let ask = Statement::from_string(DbBackend::MySql, "SELECT VERSION() AS version");
    let answer = connection.query_one_raw(ask).await?;
    let version: String = answer.map(|row| row.try_get("", "version")).transpose()?.unwrap_or_default();
    connection.close().await?;
    Ok(if version.contains("MariaDB") { Server::MariaDb } else { Server::MySql })
}
