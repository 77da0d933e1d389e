//! Every engine that a large installation runs on, as real servers.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use services::mariadb::{self, MariaDb};
use services::redis::{self, Cluster};
use services::{Ground, Server, Service, kafka};
use tokio::task::spawn_blocking;

use super::SUBGRAPHS;
use crate::keycloak::Keycloak;

/// Which search engine; OpenSearch unless the variable says `elasticsearch`.
const SEARCH_VARIABLE: &str = "TECHPOTLI_TEST_SEARCH_ENGINE";
/// The subgraph whose database is a server of its own.
pub const APART: &str = "inventory";

/// All of them, running.
pub struct Engines {
    pub primary: MariaDb,
    pub replica: MariaDb,
    /// The database of [`APART`].
    pub apart: MariaDb,
    pub redis: Cluster,
    pub kafka: Server,
    pub search: Server,
    pub keycloak: Keycloak,
}

impl Engines {
    /// Starts all; `Err` within says which cannot be had, and why.
    pub async fn start() -> anyhow::Result<Result<Self, String>> {
        spawn_blocking(|| {
            let engine = search_engine()?;
            let needed = [Service::MariadbReplica, Service::RedisCluster, Service::Kafka, engine];
            for service in needed.into_iter().chain([Service::Keycloak]) {
                if let Err(missing) = service.install() {
                    return Ok(Err(missing.to_string()));
                }
            }
            start(engine).map(Ok)
        })
        .await?
    }

    /// What every process of the shop is told.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let (primary, replica) = (self.primary.server.url(), self.replica.server.url());
        let replicas = SUBGRAPHS.iter().filter(|name| **name != APART);
        let replicas: Vec<String> = replicas.map(|name| format!("{name}={replica}/shop_{name}")).collect();
        let nothing_is_too_often = "1000000".to_owned();
        vec![
            ("TECHPOTLI_DATABASE_URL", format!("{primary}/shop,{APART}={}/{APART}", self.apart.server.url())),
            ("TECHPOTLI_REPLICA_URLS", replicas.join(",")),
            ("TECHPOTLI_REDIS_URL", format!("redis+cluster://{}", self.redis.urls().replace("redis://", ""))),
            ("TECHPOTLI_REDIS_TIMEOUT_MS", "500".to_owned()),
            ("TECHPOTLI_RATE_USER", nothing_is_too_often.clone()),
            ("TECHPOTLI_RATE_ADDRESS", nothing_is_too_often.clone()),
            ("TECHPOTLI_RATE_FIELDS", format!("sessionCreate={nothing_is_too_often}")),
            ("TECHPOTLI_BUS_URL", format!("kafka://{}", self.kafka.url())),
            ("TECHPOTLI_KAFKA_PARTITIONS", "3".to_owned()),
            ("TECHPOTLI_SEARCH_URL", self.search.url().to_owned()),
            ("TECHPOTLI_OIDC_ISSUER", self.keycloak.issuer()),
            ("TECHPOTLI_OIDC_CLIENT_SECRET", Keycloak::secret().to_owned()),
        ]
    }
}

fn search_engine() -> anyhow::Result<Service> {
    match std::env::var(SEARCH_VARIABLE).as_deref() {
        Err(_) | Ok("" | "opensearch") => Ok(Service::Opensearch),
        Ok("elasticsearch") => Ok(Service::Elasticsearch),
        Ok(other) => Err(anyhow!("{SEARCH_VARIABLE}: '{other}' is neither opensearch nor elasticsearch")),
    }
}

/// Those that take longest beside the others.
fn start(engine: Service) -> anyhow::Result<Engines> {
    let ground = &Ground::temporary()?;
    thread::scope(|scope| {
        let search = scope.spawn(|| match engine {
            Service::Elasticsearch => services::elasticsearch::start(ground),
            _ => services::opensearch::start(ground),
        });
        let keycloak = scope.spawn(Keycloak::start_installed);
        let primary = mariadb::primary(ground)?;
        Ok(Engines {
            replica: mariadb::replica(ground, &primary, Duration::ZERO)?,
            primary,
            apart: mariadb::primary(ground)?,
            redis: redis::cluster(ground)?,
            kafka: kafka::start(ground)?,
            search: search.join().map_err(|_| anyhow!("the start of the search engine panicked"))??,
            keycloak: keycloak.join().map_err(|_| anyhow!("the start of Keycloak panicked"))??,
        })
    })
}

impl Engines {
    /// Waits until the replica has all that the primary has.
    pub fn replicated(&self) -> anyhow::Result<()> {
        let caught_up = self.replica.catch_up(&self.primary, Duration::from_secs(60));
        ensure!(caught_up.context("the replica")?, "the replica does not follow");
        Ok(())
    }
}
