//! All services by name: how each is installed and started, and what it tells the tests.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{
    Ground, Server, collector, elasticsearch, kafka, keycloak, mail, mariadb, opensearch, prometheus, redis,
};

/// A service that can be started by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Service {
    /// MariaDB 10.11 (Debian), READ COMMITTED, with a binary log. TECHPOTLI_TEST_MYSQL
    Mariadb,
    /// A read-only replica by GTID, and its primary. TECHPOTLI_TEST_MYSQL_REPLICA
    MariadbReplica,
    /// Redis 7 (Debian). TECHPOTLI_TEST_REDIS
    Redis,
    /// Three Redis masters that share the slots. TECHPOTLI_TEST_REDIS_CLUSTER
    RedisCluster,
    /// Apache Kafka 4.4 (Maven, 45 MB), one node, no automatic topics; Java 17. TECHPOTLI_TEST_KAFKA
    Kafka,
    /// OpenSearch 2.19 with k-NN (Maven, 60 MB); Java 17. TECHPOTLI_TEST_OPENSEARCH
    Opensearch,
    /// Elasticsearch 9.4 (Maven, 950 MB); Java 21 or later, which must be there. TECHPOTLI_TEST_ELASTICSEARCH
    Elasticsearch,
    /// Keycloak 26.7 (Maven, 176 MB) with the shop's realm or that of --realm; Java 17. TECHPOTLI_TEST_KEYCLOAK,
    /// TECHPOTLI_TEST_KEYCLOAK_PASSWORD (of admin), TECHPOTLI_TEST_OIDC_ISSUER and TECHPOTLI_TEST_OIDC_CLIENT_SECRET
    Keycloak,
    /// A mail server that keeps messages as files (PyPI aiosmtpd). TECHPOTLI_TEST_SMTP and
    /// TECHPOTLI_TEST_SMTP_FOLDER
    Mail,
    /// Prometheus 2.42 (Debian), with --prometheus-config or watching itself. TECHPOTLI_TEST_PROMETHEUS
    Prometheus,
    /// An OTLP collector that logs spans (PyPI rotel). TECHPOTLI_TEST_OTLP (gRPC),
    /// TECHPOTLI_TEST_OTLP_HTTP and TECHPOTLI_TEST_OTLP_LOG
    Collector,
}

/// A program that tests run, and no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// Node.js and npm (Debian), for comparison with other composers and gateways.
    Node,
    /// Chromium (Debian), for GraphiQL.
    Chromium,
}

/// What cannot be had here, and why.
#[derive(Debug, thiserror::Error)]
#[error("{name} cannot be had: {reason}")]
pub struct Unavailable {
    /// The service or tool.
    pub name: String,
    /// One sentence, and the last lines of a log where there is one.
    pub reason: String,
}

/// What can be chosen when services are started by name.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keycloak's realm; the shop's where none is given.
    pub realm: Option<PathBuf>,
    /// How far the replica stays behind.
    pub replica_delay: Duration,
    /// Prometheus' configuration.
    pub prometheus_config: Option<PathBuf>,
}

/// Servers that were started by name.
#[derive(Debug, Default)]
pub struct Started {
    mariadb: Vec<mariadb::MariaDb>,
    clusters: Vec<redis::Cluster>,
    singles: Vec<Server>,
    /// What tests and the shop read from their environment.
    pub variables: Vec<(&'static str, String)>,
}

impl Service {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Fetches and builds what it needs, and starts nothing.
    pub fn install(self) -> Result<(), Unavailable> {
        let done = match self {
            Self::Mariadb | Self::MariadbReplica => mariadb::install(),
            Self::Redis | Self::RedisCluster => redis::install(),
            Self::Kafka => kafka::install(),
            Self::Opensearch => opensearch::install(),
            Self::Elasticsearch => elasticsearch::install(),
            Self::Keycloak => keycloak::install(),
            Self::Mail => mail::install(),
            Self::Prometheus => prometheus::install(),
            Self::Collector => collector::install(),
        };
        done.map_err(|error| Unavailable { name: self.name(), reason: format!("{error:#}") })
    }
}

impl Tool {
    /// Fetches it.
    pub fn install(self) -> Result<(), Unavailable> {
        let (program, package) = match self {
            Self::Node => ("npm", "npm"),
            Self::Chromium => ("chromium", "chromium"),
        };
        let installed = crate::install::debian::program(program, &[package]);
        installed
            .map(drop)
            .map_err(|error| Unavailable { name: package.to_owned(), reason: format!("{error:#}") })
    }
}

impl Started {
    /// Installs and starts one more.
    pub fn start(&mut self, ground: &Ground, service: Service, options: &Options) -> Result<()> {
        service.install()?;
        match service {
            Service::Mariadb => self.primary(ground)?,
            Service::MariadbReplica => self.replica(ground, options.replica_delay)?,
            Service::RedisCluster => {
                let cluster = redis::cluster(ground)?;
                self.tell("TECHPOTLI_TEST_REDIS_CLUSTER", cluster.urls());
                self.clusters.push(cluster);
            }
            Service::Redis => self.single("TECHPOTLI_TEST_REDIS", redis::start(ground)?),
            Service::Kafka => self.single("TECHPOTLI_TEST_KAFKA", kafka::start(ground)?),
            Service::Opensearch => self.single("TECHPOTLI_TEST_OPENSEARCH", opensearch::start(ground)?),
            Service::Elasticsearch => {
                self.single("TECHPOTLI_TEST_ELASTICSEARCH", elasticsearch::start(ground)?)
            }
            Service::Keycloak => self.keycloak(ground, options)?,
            Service::Mail => {
                let mail = mail::start(ground)?;
                self.tell("TECHPOTLI_TEST_SMTP_FOLDER", mail.folder().display().to_string());
                self.single("TECHPOTLI_TEST_SMTP", mail.server);
            }
            Service::Prometheus => {
                let server = prometheus::start(ground, options.prometheus_config.as_deref())?;
                self.single("TECHPOTLI_TEST_PROMETHEUS", server);
            }
            Service::Collector => {
                let collector = collector::start(ground)?;
                self.tell("TECHPOTLI_TEST_OTLP_HTTP", collector.http_url());
                self.tell("TECHPOTLI_TEST_OTLP_LOG", collector.log().display().to_string());
                self.single("TECHPOTLI_TEST_OTLP", collector.into_server());
            }
        }
        Ok(())
    }

    /// All processes.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        let databases = self.mariadb.iter().map(|mariadb| &mariadb.server);
        databases.chain(self.clusters.iter().flat_map(|cluster| &cluster.nodes)).chain(&self.singles)
    }

    fn primary(&mut self, ground: &Ground) -> Result<()> {
        // A replica has brought one along already.
        if self.mariadb.is_empty() {
            let primary = mariadb::primary(ground)?;
            self.tell("TECHPOTLI_TEST_MYSQL", primary.server.url().to_owned());
            self.mariadb.push(primary);
        }
        Ok(())
    }

    fn replica(&mut self, ground: &Ground, behind: Duration) -> Result<()> {
        self.primary(ground)?;
        let primary = self.mariadb.first().context("a replica has a primary")?;
        let replica = mariadb::replica(ground, primary, behind)?;
        self.tell("TECHPOTLI_TEST_MYSQL_REPLICA", replica.server.url().to_owned());
        self.mariadb.push(replica);
        Ok(())
    }

    fn keycloak(&mut self, ground: &Ground, options: &Options) -> Result<()> {
        let realm = options.realm.clone().unwrap_or_else(keycloak::realm);
        let keycloak = keycloak::start(ground, &realm)?;
        self.tell("TECHPOTLI_TEST_OIDC_ISSUER", keycloak.issuer());
        self.tell("TECHPOTLI_TEST_OIDC_CLIENT_SECRET", keycloak::CLIENT_SECRET.to_owned());
        self.tell("TECHPOTLI_TEST_KEYCLOAK_PASSWORD", keycloak.admin_password.clone());
        self.single("TECHPOTLI_TEST_KEYCLOAK", keycloak.server);
        Ok(())
    }

    fn single(&mut self, variable: &'static str, server: Server) {
        self.tell(variable, server.url().to_owned());
        self.singles.push(server);
    }

    fn tell(&mut self, variable: &'static str, value: String) {
        self.variables.push((variable, value));
    }
}
