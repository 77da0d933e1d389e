//! Rolling restarts: processes are replaced one by one while shoppers go on, and no request is lost.
//!
//! Each service stands behind a balancer that sends new connections to the newest process, as a Kubernetes service does.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use runtime::Tasks;
use seed::DEMO_USERS;
use serde_json::json;
use services::{Ground, Server};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::client::{Client, list};
use crate::kafka;
use crate::login::Site;
use crate::node::skipped;
use crate::operations::{PDP, SUGGEST};
use crate::process::Process;
use crate::setups::{SUBGRAPHS, print_schemas, with_settings};
use crate::shopper::Cart;
use crate::stage::{Goods, Stage, eventually};
use crate::template::{WORLD, seeded_folder};
use crate::visitor::Visitor;

/// How often everything is replaced. The figure of the documentation is from ten rounds.
const ROUNDS: &str = "TECHPOTLI_TEST_ROLLING_ROUNDS";
/// Shoppers at a time: enough to keep two cores busy, if they never pause.
const SHOPPERS: usize = 6;
/// For how long they do not pause before, so that it is known what half the load is.
const FULL: Duration = Duration::from_secs(4);

/// Sends connections on to whatever process is the newest.
struct Balancer {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Balancer {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (port, target) = (listener.local_addr()?.port(), Arc::new(AtomicU16::new(0)));
        let newest = Arc::clone(&target);
        let tasks = Tasks::new();
        let connections = tasks.clone();
        tasks.spawn("balancer", async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let address = SocketAddr::from(([127, 0, 0, 1], newest.load(Ordering::Acquire)));
                connections.spawn("connection", async move {
                    if let Ok(mut server) = TcpStream::connect(address).await {
                        // An end of either side is the end of the connection, however it came.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Ok(Self { port, target })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends what comes from now on to this process.
    fn turn_to(&self, process: &Process) -> anyhow::Result<()> {
        let port = process.base.rsplit(':').next().context("a port")?.parse()?;
        self.target.store(port, Ordering::Release);
        Ok(())
    }
}

/// A service: a balancer, and the process behind it.
struct Service {
    name: &'static str,
    balancer: Balancer,
    process: Option<Process>,
}

impl Service {
    /// Starts a new process, and when it is ready ends the old one.
    async fn replace(&mut self, command: Command) -> anyhow::Result<()> {
        let new = Process::start(command).await?;
        let probe = Client::guest(&new.base);
        eventually("readiness", || async {
            Ok((probe.get("/ready", &[]).await?.status == 200).then_some(()))
        })
        .await?;
        self.balancer.turn_to(&new)?;
        if let Some(old) = self.process.replace(new) {
            let said = old.terminate().await?;
            ensure!(said.is_empty(), "{}: faults in the log: {said:#?}", self.name);
        }
        Ok(())
    }
}

/// A shop of eight subgraphs, a gateway and a worker, each of which is replaced while the others go on. Sessions are in
/// Redis, events go over Kafka, and jobs are done by the worker.
struct Shop {
    folder: TempDir,
    schemas: TempDir,
    settings: Vec<(&'static str, String)>,
    gateway: Service,
    subgraphs: Vec<Service>,
    worker: Service,
    _redis: Server,
    _broker: Server,
}

impl Shop {
    async fn start(redis: Server, broker: Server) -> anyhow::Result<Self> {
        let gateway = Service { name: "gateway", balancer: Balancer::start().await?, process: None };
        let worker = Service { name: "worker", balancer: Balancer::start().await?, process: None };
        let mut subgraphs = Vec::new();
        for name in SUBGRAPHS {
            subgraphs.push(Service { name, balancer: Balancer::start().await?, process: None });
        }
        let of_its_own = [
            ("TECHPOTLI_DRAIN_MS", "2000".to_owned()),
            ("TECHPOTLI_REDIS_URL", redis.url().to_owned()),
            // For a machine that does much else.
            ("TECHPOTLI_REDIS_TIMEOUT_MS", "1000".to_owned()),
            ("TECHPOTLI_PUBLIC_URL", gateway.balancer.url()),
        ];
        let settings = kafka::on(&broker).into_iter().chain(of_its_own).collect();
        let (folder, schemas) = (seeded_folder()?, print_schemas()?);
        let mut shop =
            Self { folder, schemas, settings, gateway, subgraphs, worker, _redis: redis, _broker: broker };
        for place in 0..shop.subgraphs.len() {
            shop.replace_subgraph(place).await?;
        }
        shop.replace_gateway().await?;
        shop.replace_worker().await?;
        Ok(shop)
    }

    fn command(&self) -> Command {
        let mut command = with_settings(self.folder.path());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    async fn replace_subgraph(&mut self, place: usize) -> anyhow::Result<()> {
        let mut command = self.command();
        command.args(["subgraph", self.subgraphs[place].name]);
        for peer in &self.subgraphs {
            command.args(["--peer", &format!("{}={}", peer.name, peer.balancer.url())]);
        }
        self.subgraphs[place].replace(command).await
    }

    async fn replace_gateway(&mut self) -> anyhow::Result<()> {
        let mut command = self.command();
        command.args(["gateway", "--shop-keys", "--supergraph"]);
        command.arg(self.schemas.path().join("supergraph.graphql"));
        for subgraph in &self.subgraphs {
            command.args(["--subgraph", &format!("{}={}/graphql", subgraph.name, subgraph.balancer.url())]);
        }
        self.gateway.replace(command).await
    }

    async fn replace_worker(&mut self) -> anyhow::Result<()> {
        let mut command = self.command();
        command.arg("worker");
        self.worker.replace(command).await
    }

    /// Replaces everything, one after the other, each while the shoppers go on.
    async fn roll(&mut self, crowd: &Crowd) -> anyhow::Result<()> {
        crowd.goes_on().await?;
        self.replace_gateway().await?;
        for place in 0..self.subgraphs.len() {
            crowd.goes_on().await?;
            self.replace_subgraph(place).await?;
        }
        crowd.goes_on().await?;
        self.replace_worker().await?;
        crowd.goes_on().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_while_gateway_subgraphs_and_worker_are_replaced() -> anyhow::Result<()> {
    let rounds: usize = std::env::var(ROUNDS).map_or(Ok(1), |text| text.parse())?;
    let what = "a rolling restart";
    if let Err(missing) = services::Service::Redis.install() {
        return skipped(what, &missing.to_string());
    }
    let Some(broker) = kafka::broker(what)? else { return Ok(()) };
    let mut shop = Shop::start(services::redis::start(&Ground::temporary()?)?, broker).await?;

    let stage = Arc::new(Stage {
        guest: Client::guest(&shop.gateway.balancer.url()),
        data: shop.folder.path().to_owned(),
        subgraphs: Vec::new(),
        goods: Arc::new(Goods::new()),
    });
    let site = Site::of_its_own(&shop.gateway.balancer.url());
    let crowd = Crowd::default();
    let mut shoppers = JoinSet::new();
    for _ in 0..SHOPPERS {
        shoppers.spawn(crowd.clone().shop(Arc::clone(&stage), site.logged_in().await?));
    }
    crowd.goes_on().await?;
    let whole = crowd.rate().await?;
    crowd.slow_down_to(whole / 2.0);
    let (begun, asked) = (Instant::now(), crowd.asked.load(Ordering::Acquire));
    let replaced = async {
        for _ in 0..rounds {
            shop.roll(&crowd).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        replaced = replaced => replaced?,
        Some(ended) = shoppers.join_next() => {
            ended??;
            anyhow::bail!("a shopper went home early");
        }
    }
    let held = (crowd.asked.load(Ordering::Acquire) - asked) as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{SHOPPERS} shoppers who never pause: {whole:.1} visits a second; while everything was replaced: {held:.1}, \
         {:.0}% of that",
        100.0 * held / whole
    );
    crowd.home.store(true, Ordering::Release);
    while let Some(shopper) = shoppers.join_next().await {
        shopper??;
    }
    let [bought, sessions] = [&crowd.bought, &crowd.sessions].map(|count| count.load(Ordering::Acquire));
    let requests = stage.guest.sent() + sessions;
    println!(
        "{rounds} rounds of ten replacements: {requests} requests, {sessions} of them with a session in Redis, and \
         {bought} orders; none failed"
    );
    ensure!(bought > 0, "nobody has bought anything");
    // Workers have told each buyer, however many of them there were.
    let mails = shop.folder.path().join("notifications").join("mail");
    let told = eventually("a mail for each order", || async {
        let told = confirmations(&mails)?;
        Ok((told.len() >= bought).then_some(told))
    })
    .await?;
    let different: HashSet<&String> = told.iter().collect();
    ensure!(told.len() == bought && different.len() == bought, "{bought} orders: {told:#?}");
    Ok(())
}

/// Shoppers who go on until they are sent home.
#[derive(Clone, Default)]
struct Crowd {
    home: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    bought: Arc<AtomicUsize>,
    sessions: Arc<AtomicUsize>,
    /// How long a visit and the pause after it take together, in microseconds.
    visit: Arc<AtomicU64>,
}

impl Crowd {
    /// Looks at pages, also with a browser that is logged in, and buys, again and again. The first thing that fails ends
    /// it.
    async fn shop(self, stage: Arc<Stage>, mut browser: Visitor) -> anyhow::Result<()> {
        let (good, mut number) = (stage.good()?, 0);
        while !self.home.load(Ordering::Acquire) {
            let begun = Instant::now();
            let product = WORLD.product(number % WORLD.products);
            let data = stage.guest.data(PDP, "Pdp", json!({ "slug": product.slug })).await?;
            ensure!(
                !list(&data["product"]["variants"]["nodes"])?.is_empty(),
                "a page without variants: {data}"
            );
            stage.guest.data(SUGGEST, "Suggest", json!({ "q": "lam" })).await?;
            let name = browser.name(&stage.guest.base).await?;
            ensure!(name.as_deref() == Some(DEMO_USERS[0].email), "the session is over: {name:?}");
            self.sessions.fetch_add(1, Ordering::AcqRel);
            if number % 4 == 0 {
                let email = format!("{}@example.com", stage.fresh("rolling"));
                let cart = Cart::of_guest(&stage, &email, &[(&good, 1)]).await?;
                cart.buy(&stage, &stage.guest).await?;
                self.bought.fetch_add(1, Ordering::AcqRel);
            }
            number += 1;
            self.asked.fetch_add(1, Ordering::AcqRel);
            let visit = Duration::from_micros(self.visit.load(Ordering::Acquire));
            tokio::time::sleep(visit.saturating_sub(begun.elapsed())).await;
        }
        Ok(())
    }

    /// Visits a second, however long it takes to make some.
    async fn rate(&self) -> anyhow::Result<f64> {
        let (begun, asked) = (Instant::now(), self.asked.load(Ordering::Acquire));
        tokio::time::sleep(FULL).await;
        self.goes_on().await?;
        Ok((self.asked.load(Ordering::Acquire) - asked) as f64 / begun.elapsed().as_secs_f64())
    }

    /// From now on so many visits a second, all together, at the most.
    fn slow_down_to(&self, rate: f64) {
        let visit = Duration::from_secs_f64(SHOPPERS as f64 / rate);
        self.visit.store(visit.as_micros().try_into().unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Waits until the shoppers have gone on for a while.
    async fn goes_on(&self) -> anyhow::Result<()> {
        let seen = self.asked.load(Ordering::Acquire);
        eventually("shoppers", || async {
            Ok((self.asked.load(Ordering::Acquire) >= seen + 2 * SHOPPERS).then_some(()))
        })
        .await
    }
}

/// The subjects of all mails that confirm an order.
fn confirmations(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut subjects = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "eml") {
            let text = std::fs::read_to_string(path)?;
            let subject = text.lines().find(|line| line.starts_with("Subject: Order "));
            subjects.extend(subject.filter(|line| line.ends_with(" is confirmed")).map(str::to_owned));
        }
    }
    Ok(subjects)
}
