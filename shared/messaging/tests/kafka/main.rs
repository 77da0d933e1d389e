//! The bus over a real Kafka: nothing is lost, nothing is applied twice, and nothing holds up what comes after it.

#[path = "../bench/mod.rs"]
mod bench;
mod order;
mod outages;
mod poison;
mod sharing;

use std::future::Future;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use common::Clock;
use database::Database;
use messaging::{Bus, Receiver};
use services::{Ground, Server, Service};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often is looked whether something has come about, and how long.
const PAUSE: Duration = Duration::from_millis(50);
const LOOKS: u32 = 2_400;

/// A broker, a publisher and a listener.
pub struct Set {
    pub broker: Server,
    pub bus: Bus,
    pub publisher: Database,
    pub listener: Database,
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
    _folder: TempDir,
}

impl Set {
    /// Starts the broker, where one can be had.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        if let Err(why) = Service::Kafka.install() {
            ensure!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
            // Not eprintln!, which the test harness keeps to itself.
            writeln!(std::io::stderr(), "SKIPPED: the bus over Kafka: {why}")?;
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let broker = services::kafka::start(&Ground::temporary()?)?;
        let bus = bench::bus(broker.url())?;
        let publisher = bench::database(folder.path(), "publishing").await?;
        let listener = bench::database(folder.path(), "listening").await?;
        let (stop, running) = (watch::Sender::new(false), JoinSet::new());
        Ok(Some(Self { broker, bus, publisher, listener, stop, running, _folder: folder }))
    }

    /// Relays from now on.
    pub fn relay(&mut self) {
        let (database, bus) = (self.publisher.clone(), self.bus.clone());
        let stopping = stopped(self.stop.subscribe());
        self.running.spawn(messaging::relay("publishing", database, bus, Clock::system(), stopping));
    }

    /// Consumes from now on.
    pub fn consume(&mut self, receiver: Receiver) {
        let stopping = stopped(self.stop.subscribe());
        self.consume_until(receiver, stopping);
    }

    /// Consumes from now on until something happens.
    pub fn consume_until(&mut self, receiver: Receiver, stopping: impl Future<Output = ()> + Send + 'static) {
        let bus = self.bus.clone();
        self.running.spawn(async move { bus.consume(receiver, stopping).await });
    }

    /// Waits until the listener has applied so many events.
    pub async fn applied(&self, count: u64) -> anyhow::Result<()> {
        eventually(&format!("{count} applied events"), || async {
            let applied = bench::applied(&self.listener).await?;
            ensure!(applied <= count, "{applied} were applied");
            Ok((applied == count).then_some(()))
        })
        .await
    }

    /// Ends everything in order.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        while let Some(ended) = self.running.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// Resolves when `true` was sent.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody can send any more.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Looks until something is there.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    for _ in 0..LOOKS {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    None.with_context(|| format!("still waiting for {what}"))
}
