//! Every engine that a large installation runs on, at once.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::keycloak::{self, Keycloak};
use crate::mariadb::{self, MariaDb};
use crate::redis::{self, Cluster};
use crate::{Ground, Server, Service, Unavailable, elasticsearch, kafka, opensearch};

/// The subgraphs on the first MariaDB. Inventory has one of its own.
const ON_PRIMARY: [&str; 7] = ["users", "products", "cart", "orders", "payments", "notifications", "search"];
/// Which search engine; OpenSearch unless the variable says `elasticsearch`.
const SEARCH_VARIABLE: &str = "TECHPOTLI_TEST_SEARCH_ENGINE";

/// All of them, running.
#[derive(Debug)]
pub struct Engines {
    /// The databases of all subgraphs but inventory.
    pub primary: MariaDb,
    /// Their replica.
    pub replica: MariaDb,
    /// The database of inventory, which has no replica.
    pub apart: MariaDb,
    /// Three masters.
    pub redis: Cluster,
    /// One broker.
    pub kafka: Server,
    /// OpenSearch or Elasticsearch.
    pub search: Server,
    /// With the shop's realm.
    pub keycloak: Arc<Keycloak>,
}

impl Engines {
    /// Fetches what is missing of all of them.
    pub fn install() -> Result<(), Unavailable> {
        let engine = search_engine()
            .map_err(|error| Unavailable { name: "a search engine".to_owned(), reason: error.to_string() })?;
        let services = [Service::MariadbReplica, Service::RedisCluster, Service::Kafka, engine];
        services.into_iter().chain([Service::Keycloak]).try_for_each(Service::install)
    }

    /// Starts all, those that take longest beside the others.
    pub fn start(ground: &Ground) -> Result<Self> {
        let engine = search_engine()?;
        thread::scope(|scope| {
            let search = scope.spawn(|| match engine {
                Service::Elasticsearch => elasticsearch::start(ground),
                _ => opensearch::start(ground),
            });
            let keycloak = scope.spawn(|| keycloak::start(ground, &keycloak::realm()));
            let primary = mariadb::primary(ground)?;
            Ok(Self {
                replica: mariadb::replica(ground, &primary, Duration::ZERO)?,
                primary,
                apart: mariadb::primary(ground)?,
                redis: redis::cluster(ground)?,
                kafka: kafka::start(ground)?,
                search: search.join().map_err(|_| anyhow!("the start of the search engine panicked"))??,
                keycloak: Arc::new(keycloak.join().map_err(|_| anyhow!("the start of Keycloak panicked"))??),
            })
        })
    }

    /// What every process of the shop is told of them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let (primary, replica) = (self.primary.server.url(), self.replica.server.url());
        let replicas: Vec<String> =
            ON_PRIMARY.iter().map(|name| format!("{name}={replica}/shop_{name}")).collect();
        vec![
            (
                "TECHPOTLI_DATABASE_URL",
                format!("{primary}/shop,inventory={}/inventory", self.apart.server.url()),
            ),
            ("TECHPOTLI_REPLICA_URLS", replicas.join(",")),
            ("TECHPOTLI_REDIS_URL", format!("redis+cluster://{}", self.redis.urls().replace("redis://", ""))),
            ("TECHPOTLI_BUS_URL", format!("kafka://{}", self.kafka.url())),
            ("TECHPOTLI_KAFKA_PARTITIONS", "3".to_owned()),
            ("TECHPOTLI_SEARCH_URL", self.search.url().to_owned()),
            ("TECHPOTLI_OIDC_ISSUER", self.keycloak.issuer()),
            ("TECHPOTLI_OIDC_CLIENT_SECRET", keycloak::CLIENT_SECRET.to_owned()),
        ]
    }

    /// Waits until the replica has all that the primary has.
    pub fn replicated(&self) -> Result<()> {
        match self.replica.catch_up(&self.primary, Duration::from_secs(60)).context("the replica")? {
            true => Ok(()),
            false => bail!("the replica does not follow"),
        }
    }
}

fn search_engine() -> Result<Service> {
    match std::env::var(SEARCH_VARIABLE).as_deref() {
        Err(_) | Ok("" | "opensearch") => Ok(Service::Opensearch),
        Ok("elasticsearch") => Ok(Service::Elasticsearch),
        Ok(other) => Err(anyhow!("{SEARCH_VARIABLE}: '{other}' is neither opensearch nor elasticsearch")),
    }
}
