//! Ports: everything outside of itself that a subgraph uses.

use std::path::PathBuf;
use std::time::Duration;

use auth::SigningKey;
use cache::{Memory, Remote};
use common::{Clock, Fault, Ids};
use database::{ConnectError, Database, Options, Step};
use events::Event;
use jobs::Queue;
use messaging::Bus;
use runtime::Tasks;
use sea_orm::{ColumnTrait, TryGetable, Value};

use crate::{Peers, SearchUrl};

/// The keys of an installation.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs access tokens; used by `users`.
    pub session: SigningKey,
    /// Signs passports; used by the gateway and by calls between subgraphs.
    pub passport: SigningKey,
}

/// Everything outside of itself that a subgraph uses. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Whose ports these are.
    pub name: &'static str,
    /// Its own database, migrated.
    pub database: Database,
    /// What is remembered of its database.
    pub memory: Memory,
    /// Carries its events.
    pub bus: Bus,
    /// Calls other subgraphs.
    pub peers: Peers,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// The keys of the installation.
    pub keys: Keys,
    /// A folder of its own for files (written mails).
    pub folder: PathBuf,
    /// Where texts are searched; used by `search`.
    pub search: SearchUrl,
    /// A Redis that processes share, where there is one.
    pub redis: Option<Remote>,
    /// Whether what will be asked for is read into memory before it is, where memory lasts.
    pub warm_up: bool,
    /// How long an answer that was made from memory alone is given again; zero for never.
    pub repeat_answers: Duration,
    /// Where background work is spawned.
    pub tasks: Tasks,
}

/// Why a subgraph's ports cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    /// The database does not open.
    #[error("{subgraph}: {source}")]
    Connect {
        /// Whose.
        subgraph: &'static str,
        /// Why.
        source: ConnectError,
    },
    /// The database is older than the program.
    #[error(
        "{subgraph}: the database lacks {} steps, such as {}: run `techpotli migrate` first",
        missing.len(),
        missing.first().copied().unwrap_or_default()
    )]
    Behind {
        /// Whose.
        subgraph: &'static str,
        /// The steps by name.
        missing: Vec<&'static str>,
    },
    /// A migration failed.
    #[error("{subgraph}: the database cannot be brought up to date: {}", fault.chain())]
    Migrate {
        /// Whose.
        subgraph: &'static str,
        /// Why.
        fault: Fault,
    },
}

impl Ports {
    /// Opens a subgraph's database and migrates it.
    pub async fn open_database(
        name: &'static str,
        options: &Options,
        steps: fn() -> Vec<Step>,
    ) -> Result<Database, PortsError> {
        let database =
            Database::open(options).await.map_err(|source| PortsError::Connect { subgraph: name, source })?;
        database::migrate(&database, vec![crate::migrations, steps])
            .await
            .map_err(|fault| PortsError::Migrate { subgraph: name, fault })?;
        Ok(database)
    }

    /// Opens a subgraph's database as it is. One that is older than the program is refused; a newer one is not.
    pub async fn open_migrated(
        name: &'static str,
        options: &Options,
        steps: fn() -> Vec<Step>,
    ) -> Result<Database, PortsError> {
        let options = Options { create: false, ..options.clone() };
        let database = Database::open(&options)
            .await
            .map_err(|source| PortsError::Connect { subgraph: name, source })?;
        let missing = database::missing(&database, vec![crate::migrations, steps])
            .await
            .map_err(|fault| PortsError::Migrate { subgraph: name, fault })?;
        if missing.is_empty() { Ok(database) } else { Err(PortsError::Behind { subgraph: name, missing }) }
    }

    /// What is to be remembered of a database. What lasts is for who runs [`Ports::watch_others`] among these tasks.
    pub fn memory_of(database: &Database, tasks: &Tasks) -> Memory {
        if database.tells_of_others() && !tasks.are_never() { Memory::lasting() } else { Memory::aging() }
    }

    /// Forgets what is remembered whenever something may have been written that nobody here was told of, for ever.
    pub async fn watch_others(&self) {
        loop {
            self.database.written_unseen().await;
            self.memory.forget();
        }
    }

    /// Fills memory beside everything else, where it lasts: who comes first need not wait for it. `read` is given the ids
    /// in `column`, the newest first, `chunk` at a time and about `most` in all.
    pub fn warm_up<C, I, F, Fut>(&self, column: C, most: usize, chunk: u64, read: F)
    where
        C: ColumnTrait,
        I: Into<Value> + TryGetable + Copy + Send + 'static,
        F: Fn(Vec<I>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        if !self.warm_up || !self.memory.is_lasting() {
            return;
        }
        let (name, database, stopping) = (self.name, self.database.clone(), self.tasks.stopping());
        let fill = async move {
            let (mut last, mut count) = (None, 0);
            while count < most {
                let ids: Vec<I> = database::newest(database.read(), column, last, chunk).await?;
                last = ids.last().copied();
                count += ids.len();
                if last.is_none() {
                    break;
                }
                read(ids).await?;
            }
            Ok::<_, Fault>(())
        };
        self.tasks.spawn("warm-up", async move {
            let filled = tokio::select! {
                () = stopping => Ok(()),
                filled = fill => filled,
            };
            if let Err(fault) = filled {
                tracing::warn!(subgraph = name, reason = fault.chain(), "memory could not be filled");
            }
        });
    }

    /// The jobs in its database.
    pub fn jobs(&self) -> Queue {
        Queue::new(self.name, &self.database, &self.clock, &self.ids)
    }

    /// Writes an event into the outbox as part of `tx`.
    pub async fn publish<E: Event>(&self, tx: &database::Tx, event: &E) -> Result<(), Fault> {
        messaging::append(&self.database, tx, &self.clock, &self.ids, event).await
    }
}
