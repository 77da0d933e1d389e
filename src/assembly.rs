//! Puts subgraphs together: in one process, or one by one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use auth::PassportSigner;
use common::{Clock, Ids, Timestamp};
use compose::Composition;
use database::Database;
use engine::{Engine, EngineOptions, Subgraphs};
use messaging::Bus;
use runtime::Tasks;
use subgraph::{Keys, Peer, Peers, Ports, Subgraph};
use supergraph::Supergraph;

use crate::local::Local;
use crate::rooms::{ROOMS, Room};
use crate::settings::Settings;

/// How long to wait for a cache that lies in Redis.
const CACHE_PATIENCE: Duration = Duration::from_millis(200);

/// What the subgraphs of one process share.
pub struct Shared<'a> {
    pub settings: &'a Settings,
    pub keys: &'a Keys,
    pub bus: Bus,
    pub peers: Peers,
    pub tasks: &'a Tasks,
}

impl Shared<'_> {
    /// One subgraph's ports on its database.
    pub fn ports(&self, room: &Room, database: Database) -> anyhow::Result<Ports> {
        let clock = Clock::system();
        let ports = Ports {
            name: room.name,
            memory: Ports::memory_of(&database, self.tasks),
            database,
            bus: self.bus.clone(),
            peers: self.peers.clone(),
            ids: Ids::random(clock.clone()),
            clock,
            keys: self.keys.clone(),
            folder: self.settings.data_dir.join(room.name),
            search: self.settings.search()?,
            redis: self.settings.redis(CACHE_PATIENCE)?,
            warm_up: self.settings.warm_up,
            repeat_answers: Duration::from_millis(u64::from(self.settings.repeat_answers_ms)),
            tasks: self.tasks.clone(),
        };
        watch(&ports);
        Ok(ports)
    }

    /// One subgraph's ports on its database, which must be up to date.
    pub async fn open(&self, room: &Room) -> anyhow::Result<Ports> {
        let options = self.settings.database(room.name)?;
        self.ports(room, Ports::open_migrated(room.name, &options, room.migrations).await?)
    }
}

/// The whole shop's subgraphs in one process, known to each other.
pub struct Shop {
    /// The subgraphs, in the order of [`ROOMS`].
    pub subgraphs: Vec<Subgraph>,
}

/// Opens all databases, and brings them up to date.
pub async fn open_all(settings: &Settings, keys: &Keys, tasks: &Tasks) -> anyhow::Result<Vec<Ports>> {
    let peers = Peers::new(PassportSigner::new(&keys.passport, Clock::system()));
    let shared = Shared { settings, keys, bus: settings.bus()?, peers, tasks };
    let shared = &shared;
    let opening = ROOMS.iter().map(|room| async move {
        let options = settings.database(room.name)?;
        let database = Ports::open_database(room.name, &options, room.migrations).await?;
        shared.ports(room, database)
    });
    futures::future::try_join_all(opening).await
}

impl Shop {
    /// Builds all subgraphs on their ports and begins to carry events between them.
    pub fn build(ports: Vec<Ports>) -> Self {
        let begun = Clock::system().now();
        let subgraphs: Vec<Subgraph> =
            ROOMS.iter().zip(&ports).map(|(room, ports)| (room.build)(ports)).collect();
        for (subgraph, ports) in subgraphs.iter().zip(&ports) {
            ports.peers.know(subgraph.name, Peer::Local(subgraph.clone().into()));
            match ports.bus.is_shared() {
                true => {
                    follow(subgraph, &ports.bus, begun, &ports.tasks);
                    consume(subgraph, &ports.bus, &ports.tasks);
                }
                false => {
                    if let Some(receiver) = &subgraph.receiver {
                        ports.bus.join(receiver.clone());
                    }
                }
            }
        }
        for (subgraph, ports) in subgraphs.iter().zip(&ports) {
            relay(ports, &ports.tasks);
            subgraph.work(ports, &ports.tasks);
        }
        Self { subgraphs }
    }

    /// An engine over the subgraphs of this process.
    pub fn engine(&self, options: EngineOptions) -> anyhow::Result<Engine> {
        let composition = compose_all(self.subgraphs.iter().map(|subgraph| (subgraph.name, &*subgraph.sdl)))?;
        let supergraph = parse_supergraph(&composition.supergraph_sdl)?;
        let reached = self.subgraphs.iter().fold(Subgraphs::new(), |reached, subgraph| {
            reached.with_local(subgraph.name, Arc::new(Local(subgraph.clone())))
        });
        Engine::new(Arc::new(supergraph), reached, options).context("the supergraph cannot be served")
    }
}

/// Knows how far the replicas of a database are, and when others have written to it, until everything stops.
fn watch(ports: &Ports) {
    let (watched, stopping) = (ports.clone(), ports.tasks.stopping());
    ports.tasks.spawn("database watch", async move {
        tokio::select! {
            () = stopping => {}
            () = watched.database.watch_replicas(), if watched.database.has_replicas() => {}
            () = watched.watch_others() => {}
        }
    });
}

/// Carries a subgraph's outbox to the bus until everything stops.
pub fn relay(ports: &Ports, tasks: &Tasks) {
    let (database, bus, clock) = (ports.database.clone(), ports.bus.clone(), ports.clock.clone());
    tasks.spawn("relay", messaging::relay(ports.name, database, bus, clock, tasks.stopping()));
}

/// Applies what a subgraph hears on a shared bus, together with other processes, until everything stops.
pub fn consume(subgraph: &Subgraph, bus: &Bus, tasks: &Tasks) {
    if let Some(receiver) = subgraph.receiver.clone() {
        let (bus, stopping) = (bus.clone(), tasks.stopping());
        tasks.spawn("consumer", async move { bus.consume(receiver, stopping).await });
    }
}

/// Has the memory of a subgraph in this process hear of what is applied for it on a shared bus.
pub fn follow(subgraph: &Subgraph, bus: &Bus, since: Timestamp, tasks: &Tasks) {
    if let Some(receiver) = subgraph.receiver.clone() {
        let (bus, stopping) = (bus.clone(), tasks.stopping());
        tasks.spawn("follower", async move {
            tokio::select! {
                () = stopping => {}
                () = bus.follow(receiver, since) => {}
            }
        });
    }
}

/// Composes the shop's schemas; each subgraph's URL is where it listens in the documentation's set-up.
pub fn compose_all<'a>(schemas: impl Iterator<Item = (&'a str, &'a str)>) -> anyhow::Result<Composition> {
    let subgraphs: Vec<compose::Subgraph> = schemas
        .map(|(name, sdl)| compose::Subgraph {
            name: name.to_owned(),
            url: format!("http://{name}:4001/graphql"),
            sdl: sdl.to_owned(),
        })
        .collect();
    compose::compose(&subgraphs).map_err(|errors| {
        let lines: Vec<String> =
            errors.iter().map(|error| format!("  {}: {}", error.code, error.message)).collect();
        anyhow!("the schemas do not compose:\n{}", lines.join("\n"))
    })
}

/// Reads a supergraph.
pub fn parse_supergraph(sdl: &str) -> anyhow::Result<Supergraph> {
    Supergraph::parse(sdl).map_err(|error| anyhow!("the supergraph cannot be read: {error}"))
}

/// `techpotli migrate`.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    settings.prepare_data_dir()?;
    for room in ROOMS {
        Ports::open_database(room.name, &settings.database(room.name)?, room.migrations).await?;
        println!("{} is up to date.", room.name);
    }
    Ok(())
}
