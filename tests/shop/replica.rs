//! MariaDB with a replica: whoever writes reads it, the others read from the replica, and a lost one is missed by nobody.

use std::time::Duration;

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::{Value, json};
use services::{Ground, Service, mariadb};
use tempfile::TempDir;

use crate::client::{Client, number, text};
use crate::node::skipped;
use crate::operations::{CART_ADD, CART_VIEW, HOME, PDP, PLP, SUGGEST};
use crate::process::Process;
use crate::setups::{Processes, SUBGRAPHS, print_schemas, start_gateway_with};
use crate::stage::eventually;
use crate::template::{WORLD, seed};

/// Pairs of a write and a read; more where the variable says so.
const PAIRS: usize = 500;
const PAIRS_VARIABLE: &str = "TECHPOTLI_TEST_PAIRS";
/// Pairs of the controls.
const FEW: usize = 200;
/// Front ends at once.
pub const ABREAST: usize = 8;
/// How often each looks around.
const STEPS: u32 = 10;

const CREATE: &str =
    "mutation Create($i: CartCreateInput!) { cartCreate(input: $i) { cart { id } userErrors { message } } }";
/// Statements that read, by where they were answered.
const READS: &str = "database_reads_total";
const QUANTITY: &str = "query Quantity($id: ID!) { cart(id: $id) { version totalQuantity } }";

/// A shop of eight processes on a primary with a replica.
pub struct Shop {
    primary: mariadb::MariaDb,
    pub replica: mariadb::MariaDb,
    folder: TempDir,
    schemas: TempDir,
    subgraphs: Processes,
    _ground: Ground,
}

impl Shop {
    pub async fn start() -> anyhow::Result<Self> {
        let ground = Ground::temporary()?;
        let primary = mariadb::primary(&ground)?;
        let replica = mariadb::replica(&ground, &primary, Duration::ZERO)?;
        let folder = tempfile::tempdir()?;
        let environment = vec![
            ("TECHPOTLI_DATABASE_URL", format!("{}/shop", primary.server.url())),
            ("TECHPOTLI_REPLICA_URLS", format!("{}/shop", replica.server.url())),
        ];
        seed(folder.path(), &environment, &WORLD)?;
        ensure!(replica.catch_up(&primary, Duration::from_secs(60))?, "the replica does not follow");
        let subgraphs = Processes::start_with(folder.path(), environment).await?;
        Ok(Self { primary, replica, folder, schemas: print_schemas()?, subgraphs, _ground: ground })
    }

    /// A gateway before its subgraphs.
    pub async fn gateway(&self, environment: &[(&str, &str)]) -> anyhow::Result<Process> {
        let supergraph = self.schemas.path().join("supergraph.graphql");
        // So that each front end can be at an address of its own.
        let environment = [&[("TECHPOTLI_TRUSTED_PROXIES", "127.0.0.0/8")], environment].concat();
        start_gateway_with(self.folder.path(), &supergraph, &self.subgraphs, &environment).await
    }

    /// A series of the cart's metrics, summed over those that have the label.
    async fn cart_metric(&self, name: &str, label: &str) -> anyhow::Result<f64> {
        self.metric("cart", name, label).await
    }

    async fn metric(&self, subgraph: &str, name: &str, labels: &str) -> anyhow::Result<f64> {
        let text = Client::guest(self.subgraphs.base(subgraph)?).get("/metrics", &[]).await?.text;
        let series = text.lines().filter(|line| line.starts_with(name) && line.contains(labels));
        Ok(series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }

    /// Waits until all subgraphs have found the replica there or not.
    pub async fn replica_is(&self, up: f64) -> anyhow::Result<()> {
        for subgraph in SUBGRAPHS {
            eventually("the replica's state", || async {
                Ok((self.metric(subgraph, "database_replica_up", "").await? == up).then_some(()))
            })
            .await?;
        }
        Ok(())
    }
}

/// One front end with a cart of its own.
pub struct Shopper {
    pub client: Client,
    address: String,
    cart: String,
    variant: String,
    added: i64,
}

impl Shopper {
    pub async fn new(base: &str, number: usize) -> anyhow::Result<Self> {
        let client = Client::guest(base);
        let variant = WORLD.variant_id(30 + u32::try_from(number)?, 0).to_string();
        let address = format!("198.51.100.{}", number + 1);
        let mut shopper = Self { client, address, cart: String::new(), variant, added: 0 };
        let (created, _) = shopper.ask(CREATE, "Create", json!({ "i": {} }), None).await?;
        shopper.cart = text(&created["cartCreate"]["cart"]["id"])?.to_owned();
        Ok(shopper)
    }

    /// The data of an answer, and its cookie.
    async fn ask(
        &self,
        document: &str,
        operation: &str,
        variables: Value,
        cookie: Option<&str>,
    ) -> anyhow::Result<(Value, Option<String>)> {
        let body = json!({ "query": document, "operationName": operation, "variables": variables });
        let mut headers = vec![("content-type", "application/json"), ("x-forwarded-for", &self.address)];
        headers.extend(cookie.map(|cookie| ("cookie", cookie)));
        let answer = self.client.post(body.to_string(), &headers).await?;
        let mut body = answer.json()?;
        ensure!(body.get("errors").is_none(), "{operation}: {}", answer.text);
        let cookie = answer.headers.get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        Ok((body["data"].take(), cookie))
    }

    /// Adds one, and says what cookie came of it.
    pub async fn add(&mut self) -> anyhow::Result<Option<String>> {
        let lines = json!([{ "variantId": self.variant, "quantity": 1 }]);
        let key = format!("{}-{}", self.cart, self.added);
        let input = json!({ "idempotencyKey": key, "cartId": self.cart, "lines": lines });
        let (added, cookie) = self.ask(CART_ADD, "CartAdd", json!({ "i": input }), None).await?;
        self.added += 1;
        let quantity = number(&added["cartLinesAdd"]["cart"]["totalQuantity"])?;
        ensure!(quantity == self.added, "{quantity} after adding {}: {added}", self.added);
        Ok(cookie)
    }

    /// Adds one, and looks at the cart at once; whether it is seen.
    async fn pair(&mut self, cookies: bool) -> anyhow::Result<bool> {
        let cookie = self.add().await?.filter(|_| cookies);
        self.sees(cookie.as_deref()).await
    }

    /// Whether the cart is seen with all that was added.
    pub async fn sees(&self, cookie: Option<&str>) -> anyhow::Result<bool> {
        let variables = json!({ "id": self.cart });
        let (seen, _) = self.ask(QUANTITY, "Quantity", variables, cookie).await?;
        // A cart that the replica does not have yet is none.
        Ok(seen["cart"]["totalQuantity"] == self.added)
    }

    /// Looks around, and every so often buys something.
    async fn stroll(&mut self, steps: u32) -> anyhow::Result<()> {
        for step in 0..steps {
            let product = WORLD.product((step * 7 + u32::try_from(self.added)?) % WORLD.products);
            let word = product.texts[0].1.split(' ').next_back().unwrap_or_default().to_owned();
            let category = WORLD.category_id(product.category).to_string();
            self.ask(HOME, "Home", json!({}), None).await?;
            self.ask(PLP, "Plp", json!({ "f": { "categoryId": category } }), None).await?;
            self.ask(SUGGEST, "Suggest", json!({ "q": word }), None).await?;
            self.ask(PDP, "Pdp", json!({ "slug": product.slug }), None).await?;
            if step % 5 == 4 {
                self.add().await?;
            }
            self.ask(CART_VIEW, "CartView", json!({ "id": self.cart }), None).await?;
        }
        Ok(())
    }
}

/// How many of so many pairs did not see their own write.
async fn stale(gateway: &Process, pairs: usize, cookies: bool) -> anyhow::Result<usize> {
    let shoppers = (0..ABREAST).map(|number| async move {
        let mut shopper = Shopper::new(&gateway.base, number).await?;
        let mut stale = 0;
        for pair in 1..=pairs.div_ceil(ABREAST) {
            // A line takes 999 at most.
            if pair % 500 == 0 {
                shopper = Shopper::new(&gateway.base, number).await?;
            }
            stale += usize::from(!shopper.pair(cookies).await?);
        }
        anyhow::Ok(stale)
    });
    Ok(try_join_all(shoppers).await?.into_iter().sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_reads_it_however_far_the_replica_is_behind() -> anyhow::Result<()> {
    if let Err(why) = Service::MariadbReplica.install() {
        return skipped("reading one's writes", &why.to_string());
    }
    let shop = Shop::start().await?;
    shop.replica_is(1.0).await?;
    shop.replica.hold_behind(Duration::from_secs(2))?;
    let pairs = match std::env::var(PAIRS_VARIABLE) {
        Ok(count) => count.parse()?,
        Err(_) => PAIRS,
    };
    // A gateway that forgets at once is what all gateways would be without marks.
    let gateway = shop.gateway(&[]).await?;
    let forgetful = shop.gateway(&[("TECHPOTLI_REPLICA_LAG_MS", "1")]).await?;
    let kept = stale(&gateway, pairs, false).await?;
    let forgotten = stale(&forgetful, FEW, false).await?;
    let carried = stale(&forgetful, FEW, true).await?;
    println!("stale: {kept} of {pairs} with marks; {forgotten} of {FEW} without, {carried} by cookie alone");
    ensure!(kept == 0, "{kept} of {pairs} reads were older than the write before");
    ensure!(carried == 0, "{carried} reads were older than the write before, although the cookie told of it");
    ensure!(forgotten > FEW / 2, "the control is not stale either: {forgotten} of {FEW}");
    shop.replica.hold_behind(Duration::ZERO)?;
    ensure!(shop.replica.catch_up(&shop.primary, Duration::from_secs(60))?, "the replica does not follow");
    the_replica_has_its_share(&shop, &gateway).await?;
    nobody_misses_a_replica(&shop, &forgetful).await?;
    let failures = shop.subgraphs.faults();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// What of a storefront's statements the replica answers.
async fn the_replica_has_its_share(shop: &Shop, gateway: &Process) -> anyhow::Result<()> {
    let mut before = Vec::new();
    for subgraph in SUBGRAPHS {
        before.push(served(shop, subgraph).await?);
    }
    let strolls = (0..ABREAST)
        .map(|number| async move { Shopper::new(&gateway.base, 50 + number).await?.stroll(STEPS).await });
    try_join_all(strolls).await?;
    let (mut all, mut by_replica) = (0.0, 0.0);
    for (subgraph, before) in SUBGRAPHS.into_iter().zip(before) {
        let now = served(shop, subgraph).await?;
        let [replica, own, other, deciding] = std::array::from_fn(|place| now[place] - before[place]);
        println!(
            "{subgraph}: {replica} by the replica; by the primary {own} after one's own write, {other} as the replica \
             was behind, {deciding} to decide by"
        );
        all += replica + own + other + deciding;
        by_replica += replica;
    }
    println!(
        "storefront: the replica answered {by_replica} of {all} statements, {:.0} %",
        100.0 * by_replica / all
    );
    ensure!(by_replica > all / 3.0, "the replica answered {by_replica} of {all} statements only");
    Ok(())
}

async fn served(shop: &Shop, subgraph: &str) -> anyhow::Result<[f64; 4]> {
    let mut served = [0.0; 4];
    let labels =
        ["server=\"replica\"", "because=\"own_write\"", "because=\"replica_", "because=\"deciding\""];
    for (place, label) in labels.into_iter().enumerate() {
        served[place] = shop.metric(subgraph, READS, label).await?;
    }
    Ok(served)
}

/// Reads by somebody who has not written: of the replica while it is there, of the primary while it is not.
async fn nobody_misses_a_replica(shop: &Shop, gateway: &Process) -> anyhow::Result<()> {
    let shopper = Shopper::new(&gateway.base, 0).await?;
    let look = || async {
        let (seen, _) = shopper.ask(QUANTITY, "Quantity", json!({ "id": shopper.cart }), None).await?;
        ensure!(seen["cart"]["totalQuantity"] == 0, "an empty cart: {seen}");
        anyhow::Ok(())
    };
    ensure!(shop.replica.catch_up(&shop.primary, Duration::from_secs(60))?, "the replica does not follow");
    let by_replica = shop.cart_metric(READS, "server=\"replica\"").await?;
    for _ in 0..10 {
        look().await?;
    }
    let more = shop.cart_metric(READS, "server=\"replica\"").await? - by_replica;
    ensure!(more >= 10.0, "{more} statements of 10 reads came from the replica");
    shop.replica.server.kill()?;
    for _ in 0..10 {
        look().await?;
    }
    shop.replica_is(0.0).await?;
    look().await?;
    let instead = shop.cart_metric(READS, "because=\"replica_").await?;
    ensure!(instead >= 1.0, "no read fell back to the primary");
    shop.replica.server.start()?;
    shop.replica_is(1.0).await?;
    let by_replica = shop.cart_metric(READS, "server=\"replica\"").await?;
    eventually("a read of the replica that is back", || async {
        look().await?;
        Ok((shop.cart_metric(READS, "server=\"replica\"").await? > by_replica).then_some(()))
    })
    .await
}
