//! Rolling restarts: processes are replaced one by one while shoppers go on, and no request is lost.
//!
//! Each service stands behind a balancer that sends new connections to the newest process, as a Kubernetes service does.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use runtime::Tasks;
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::client::{Client, list};
use crate::operations::{PDP, SUGGEST};
use crate::process::Process;
use crate::setups::{SUBGRAPHS, print_schemas, with_settings};
use crate::shopper::Cart;
use crate::stage::{Goods, Stage, eventually};
use crate::template::{WORLD, seeded_folder};

/// How often everything is replaced. The figure of the documentation is from ten rounds.
const ROUNDS: &str = "TECHPOTLI_TEST_ROLLING_ROUNDS";
/// Shoppers at a time.
const SHOPPERS: usize = 3;

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

fn draining(folder: &Path) -> Command {
    let mut command = with_settings(folder);
    command.env("TECHPOTLI_DRAIN_MS", "1000");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_while_gateway_and_subgraphs_are_replaced() -> anyhow::Result<()> {
    let rounds: usize = std::env::var(ROUNDS).map_or(Ok(1), |text| text.parse())?;
    let folder = seeded_folder()?;
    let schemas = print_schemas()?;
    let mut services = Vec::new();
    for name in SUBGRAPHS {
        services.push(Service { name, balancer: Balancer::start().await?, process: None });
    }
    let addresses: Vec<(&str, String)> =
        services.iter().map(|service| (service.name, service.balancer.url())).collect();
    let subgraph = |name: &str| {
        let mut command = draining(folder.path());
        command.args(["subgraph", name]);
        for (peer, url) in &addresses {
            command.args(["--peer", &format!("{peer}={url}")]);
        }
        command
    };
    for service in &mut services {
        let command = subgraph(service.name);
        service.replace(command).await?;
    }
    let gateway_command = || {
        let mut command = draining(folder.path());
        command
            .args(["gateway", "--shop-keys", "--supergraph"])
            .arg(schemas.path().join("supergraph.graphql"));
        for (name, url) in &addresses {
            command.args(["--subgraph", &format!("{name}={url}/graphql")]);
        }
        command
    };
    let mut gateway = Service { name: "gateway", balancer: Balancer::start().await?, process: None };
    gateway.replace(gateway_command()).await?;

    let stage = Arc::new(Stage {
        guest: Client::guest(&gateway.balancer.url()),
        data: folder.path().to_owned(),
        subgraphs: Vec::new(),
        goods: Arc::new(Goods::new()),
    });
    let crowd = Crowd::default();
    let mut shoppers = JoinSet::new();
    for _ in 0..SHOPPERS {
        shoppers.spawn(crowd.clone().shop(Arc::clone(&stage)));
    }
    let replaced = async {
        for _ in 0..rounds {
            crowd.goes_on().await?;
            gateway.replace(gateway_command()).await?;
            for service in &mut services {
                crowd.goes_on().await?;
                let command = subgraph(service.name);
                service.replace(command).await?;
            }
        }
        crowd.goes_on().await
    };
    tokio::select! {
        replaced = replaced => replaced?,
        Some(ended) = shoppers.join_next() => {
            ended??;
            anyhow::bail!("a shopper went home early");
        }
    }
    crowd.home.store(true, Ordering::Release);
    while let Some(shopper) = shoppers.join_next().await {
        shopper??;
    }
    let (bought, asked) = (crowd.bought.load(Ordering::Acquire), crowd.asked.load(Ordering::Acquire));
    println!(
        "{rounds} rounds of nine replacements: {asked} rounds of pages and {bought} orders, none failed"
    );
    ensure!(bought > 0, "nobody has bought anything");
    Ok(())
}

/// Shoppers who go on until they are sent home.
#[derive(Clone, Default)]
struct Crowd {
    home: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    bought: Arc<AtomicUsize>,
}

impl Crowd {
    /// Looks at pages and buys, again and again. The first thing that fails ends it.
    async fn shop(self, stage: Arc<Stage>) -> anyhow::Result<()> {
        let (good, mut number) = (stage.good()?, 0);
        while !self.home.load(Ordering::Acquire) {
            let product = WORLD.product(number % WORLD.products);
            let data = stage.guest.data(PDP, "Pdp", json!({ "slug": product.slug })).await?;
            ensure!(
                !list(&data["product"]["variants"]["nodes"])?.is_empty(),
                "a page without variants: {data}"
            );
            stage.guest.data(SUGGEST, "Suggest", json!({ "q": "lam" })).await?;
            if number % 4 == 0 {
                let email = format!("{}@example.com", stage.fresh("rolling"));
                let cart = Cart::of_guest(&stage, &email, &[(&good, 1)]).await?;
                cart.buy(&stage, &stage.guest).await?;
                self.bought.fetch_add(1, Ordering::AcqRel);
            }
            number += 1;
            self.asked.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
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
