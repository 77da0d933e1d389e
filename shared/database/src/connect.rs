//! One subgraph's database, opened by URL.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use tokio::sync::Notify;

use crate::access::{ReadBy, Reader, WriteBy, Writer};
use crate::kept::{self, Reading, Writing};
use crate::statements;

/// How many connections read beside the one that writes (SQLite), or share all work (MySQL).
const SQLITE_READERS: u32 = 4;
const MYSQL_CONNECTIONS: u32 = 16;

/// A subgraph's database: where to read and where to write.
#[derive(Clone, Debug)]
pub struct Database {
    read: Reader,
    pub(crate) write: Writer,
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
    /// The server or the file refused.
    #[error("the database does not open: {0}")]
    Open(#[from] DbErr),
}

impl Database {
    /// Opens `sqlite:PATH` (made where missing) or `mysql://user:password@host:port/name` (likewise).
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        match url.split(':').next() {
            Some("sqlite") => Self::sqlite(url).await,
            Some("mysql" | "mariadb") => Self::mysql(url).await,
            _ => Err(ConnectError::Scheme(url.split("//").next().unwrap_or_default().to_owned())),
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
        let write = Writing::new(kept::keep(&open(pool(1)).await?).await?);
        let pool = open(pool(SQLITE_READERS)).await?;
        let mut readers = Vec::new();
        for _ in 0..SQLITE_READERS {
            readers.push(kept::keep(&pool).await?);
        }
        let read = Reader(ReadBy::Kept(Reading::new(readers)));
        Ok(Self { read, write: Writer(WriteBy::Kept(write)), outbox: Arc::default() })
    }

    async fn mysql(url: &str) -> Result<Self, ConnectError> {
        create_mysql_database(url).await?;
        let mut options = ConnectOptions::new(url);
        options.max_connections(MYSQL_CONNECTIONS).min_connections(1);
        options.after_connect(|connection| {
            Box::pin(async move {
                connection
                    .execute_unprepared("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                    .await
                    .map(drop)
            })
        });
        let pool = open(common_options(options)).await?;
        let (read, write) = (Reader(ReadBy::Pool(pool.clone())), Writer(WriteBy::Pool(pool)));
        Ok(Self { read, write, outbox: Arc::default() })
    }

    /// Where to read outside a transaction.
    pub fn read(&self) -> &Reader {
        &self.read
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
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(None)
        .max_lifetime(None);
    options
}

async fn open(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let mut connection = sea_orm::Database::connect(options).await?;
    connection.set_metric_callback(|info| statements::record(&info.statement.sql));
    Ok(connection)
}

/// `CREATE DATABASE` for a URL whose database is missing; the server must know the user.
async fn create_mysql_database(url: &str) -> Result<(), DbErr> {
    let Some((server, name)) = url.rsplit_once('/') else {
        return Ok(());
    };
    let name = name.split('?').next().unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(DbErr::Custom(
            "a mysql: URL must end with a database name of letters, digits and _".into(),
        ));
    }
    let mut options = ConnectOptions::new(format!("{server}/"));
    options.max_connections(1).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await?;
    let create = format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    connection.execute_unprepared(&create).await?;
    connection.close().await
}
