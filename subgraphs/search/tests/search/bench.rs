//! Shops of search on each back end: in memory, and on the engines that the environment names.

use std::io::Write as _;
use std::sync::Once;
use std::time::Duration;

use auth::Viewer;
use seed::World;
use serde_json::Value;
use subgraph::seeding::Progress;
use subgraph::testing::{self, Folder, run};
use subgraph::{Ports, Subgraph};

pub const SMALL: World = World { seed: 1, products: 60, users: 30, orders: 200 };

/// Engines, and the variables that say where they are.
const ENGINES: [(&str, &str); 2] =
    [("Elasticsearch", "TECHPOTLI_TEST_ELASTICSEARCH"), ("OpenSearch", "TECHPOTLI_TEST_OPENSEARCH")];

/// A subgraph with its database.
pub struct Shop {
    pub on: &'static str,
    pub subgraph: Subgraph,
    pub ports: Ports,
    _folder: Folder,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.ports.tasks.stop();
    }
}

/// One shop in memory, and one on each engine.
pub async fn shops() -> Vec<Shop> {
    let mut shops = vec![shop("memory", "embedded").await];
    shops.extend(on_engines().await);
    shops
}

/// One shop on each engine. Those that are not there are reported as skipped, once.
pub async fn on_engines() -> Vec<Shop> {
    static SAID: Once = Once::new();
    let mut shops = Vec::new();
    for (name, variable) in ENGINES {
        match std::env::var(variable) {
            Ok(server) => {
                let index = format!("t{}", testing_name());
                shops.push(shop(name, &format!("{}/{index}", server.trim_end_matches('/'))).await);
            }
            Err(_) => SAID.call_once(|| {
                // Not eprintln!, which the test harness keeps to itself.
                let _ = writeln!(std::io::stderr(), "SKIPPED: search on {name}: {variable} is not set");
            }),
        }
    }
    shops
}

/// A name that no other test has.
fn testing_name() -> String {
    let folder = Folder::new().expect("the temporary folder can be written");
    let name = folder.path().file_name().expect("a folder has a name").to_string_lossy().into_owned();
    name.replace("techpotli-", "").replace('-', "")
}

/// A seeded shop that searches there.
pub async fn shop(on: &'static str, url: &str) -> Shop {
    let (mut ports, folder) = testing::ports(search::NAME, search::migrations).await;
    ports.search = url.parse().expect("the URL is one");
    search::seed(&ports, &SMALL, &Progress::silent()).await.expect("a fresh database can be filled");
    let shop = Shop { on, subgraph: testing::work(search::build(&ports), &ports), ports, _folder: folder };
    shop.caught_up().await;
    shop
}

impl Shop {
    /// Runs a document as nobody in particular. It must not be the database that answers in place of an engine.
    pub async fn ask(&self, document: &str, variables: Value) -> Value {
        let answer = self.ask_in_an_outage(document, variables).await;
        assert!(answer["extensions"]["client"].is_null(), "{}: {answer}", self.on);
        answer
    }

    /// Runs a document as nobody in particular.
    pub async fn ask_in_an_outage(&self, document: &str, variables: Value) -> Value {
        run(&self.subgraph, &Viewer::anonymous(), document, variables).await
    }

    /// Delivers what is in the outbox to the shop itself, and waits until it can be found.
    pub async fn deliver(&self) {
        testing::deliver(&self.ports, &self.subgraph).await.expect("events are taken");
        self.caught_up().await;
    }

    /// Waits until everything that is committed can be found.
    pub async fn caught_up(&self) {
        let waited = tokio::time::timeout(Duration::from_secs(120), async {
            while !search::is_caught_up(&self.ports).await.expect("the database answers") {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{} never caught up", self.on));
    }

    /// The ids of the products that `search` with these arguments finds, in their order.
    pub async fn ids(&self, arguments: &str) -> Vec<String> {
        let query = format!("{{ search({arguments}) {{ edges {{ product {{ id }} }} }} }}");
        let answer = self.ask(&query, Value::Null).await;
        let edges = answer["data"]["search"]["edges"].as_array().unwrap_or_else(|| panic!("{answer}"));
        edges.iter().map(|edge| edge["product"]["id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
