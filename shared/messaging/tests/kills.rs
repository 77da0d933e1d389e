//! Kills: processes that relay and processes that consume are killed, again and again, while 5,000 events go by.
//!
//! Each event must be applied once, and those of an aggregate in order. `TECHPOTLI_TEST_KILLS` says how often each kind
//! is killed; four times where it says nothing, so that the test ends soon, fifty times by `tests/run kills`.

mod bench;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use common::Clock;
use database::Database;
use services::{Ground, Service};

const EVENTS: i64 = 5_000;
const AGGREGATES: usize = 20;
/// How often is looked whether something has come about, and how long.
const PAUSE: Duration = Duration::from_millis(20);
const LOOKS: u32 = 6_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.context("no runtime").and_then(|runtime| match arguments.as_slice() {
        [role, folder, broker] if role == "relays" || role == "consumes" => {
            runtime.block_on(work(role, Path::new(folder), broker))
        }
        _ if arguments.iter().any(|argument| argument == "--list") => Ok(()),
        _ => runtime.block_on(kill()),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is killed.
async fn work(role: &str, folder: &Path, broker: &str) -> anyhow::Result<()> {
    let bus = bench::bus(broker)?;
    let never = std::future::pending();
    match role {
        "relays" => {
            let database = bench::database(folder, "publishing").await?;
            println!("ready");
            messaging::relay("publishing", database, bus, Clock::system(), never).await;
        }
        _ => {
            let database = bench::database(folder, "listening").await?;
            println!("ready");
            bus.consume(bench::receiver(&database, bench::consumer()), never).await;
        }
    }
    Ok(())
}

/// A process that works until it is killed.
struct Worker {
    role: &'static str,
    folder: PathBuf,
    broker: String,
    child: Child,
}

impl Worker {
    fn start(role: &'static str, folder: &Path, broker: &str) -> anyhow::Result<Self> {
        let child = Self::process(role, folder, broker)?;
        Ok(Self { role, folder: folder.to_owned(), broker: broker.to_owned(), child })
    }

    fn process(role: &str, folder: &Path, broker: &str) -> anyhow::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(role).arg(folder).arg(broker).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        ensure!(line.trim() == "ready", "a process that {role} said: {line}");
        Ok(child)
    }

    /// SIGKILL, and another in its place.
    fn replace(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "one that {} has ended by itself", self.role);
        self.child.kill()?;
        self.child.wait()?;
        self.child = Self::process(self.role, &self.folder, &self.broker)?;
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended before; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn kill() -> anyhow::Result<()> {
    if let Err(why) = Service::Kafka.install() {
        ensure!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
        return Ok(writeln!(std::io::stderr(), "SKIPPED: kills of relays and consumers: {why}")?);
    }
    let kills: usize = match std::env::var("TECHPOTLI_TEST_KILLS") {
        Ok(kills) => kills.parse().context("TECHPOTLI_TEST_KILLS is a number")?,
        Err(_) => 4,
    };
    let begun = Instant::now();
    let folder = tempfile::tempdir()?;
    let broker = services::kafka::start(&Ground::temporary()?)?;
    let publisher = bench::database(folder.path(), "publishing").await?;
    let listener = bench::database(folder.path(), "listening").await?;
    let mut workers = Vec::new();
    for role in ["relays", "consumes", "relays", "consumes"] {
        workers.push(Worker::start(role, folder.path(), broker.url())?);
    }
    let numbers = EVENTS / i64::try_from(AGGREGATES)?;
    let steps = 2 * i64::try_from(kills)?;
    for step in 0..steps {
        let before = bench::applied(&listener).await?;
        let some = step * numbers / steps..(step + 1) * numbers / steps;
        // At any moment of the way of these events, the first of them still unwritten, the last of them applied.
        let moment = tokio::time::sleep(Duration::from_millis(fastrand::u64(0..250)));
        let victim = usize::try_from(step)? % workers.len();
        let (written, replaced) = tokio::join!(bench::write(&publisher, AGGREGATES, some), async {
            moment.await;
            tokio::task::block_in_place(|| workers[victim].replace())
        });
        written?;
        replaced?;
        // Those that are left go on: the lease ends, partitions move.
        until(&format!("life after kill {}", step + 1), &listener, |applied| applied > before).await?;
    }
    let all = u64::try_from(EVENTS)?;
    until("all events", &listener, |applied| applied >= all).await?;
    bench::check(&bench::by_aggregate(&listener).await?, AGGREGATES, numbers)?;
    let buried = bench::dead_letters(&listener).await?;
    ensure!(buried.is_empty(), "buried: {buried:#?}");
    let published = published(broker.url())?;
    println!(
        "{EVENTS} events: {kills} kills of relays and {kills} of consumers in {} s, each event applied once and in \
         order; {} were published more than once",
        begun.elapsed().as_secs(),
        published - EVENTS,
    );
    Ok(())
}

async fn until(what: &str, listener: &Database, enough: impl Fn(u64) -> bool) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        if enough(bench::applied(listener).await?) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("still waiting for {what} at {} applied events", bench::applied(listener).await?)
}

/// How many records are in the publisher's topic.
fn published(broker: &str) -> anyhow::Result<i64> {
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    let consumer: BaseConsumer = rdkafka::ClientConfig::new().set("bootstrap.servers", broker).create()?;
    (0..4).try_fold(0, |records, partition| {
        let (_, end) = consumer.fetch_watermarks("bench.counting", partition, Duration::from_secs(30))?;
        Ok(records + end)
    })
}
