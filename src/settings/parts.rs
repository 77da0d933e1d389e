//! What the parts of the shop are told.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use auth::SigningKey;
use cache::Remote;
use gateway::{Channel, ContextDefaults, Cors, GatewayConfig, LoginConfig, Rate, RateLimits, SharedWrites};
use messaging::{Bus, BusError, Topics};
use runtime::telemetry::Collector;
use secrecy::ExposeSecret as _;
use subgraph::{Keys, SearchUrl};

use super::Settings;
use super::values::{check_urls, urls_of};

/// How long a browser's session is waited for: without it there is no answer, unlike with a count.
pub(super) const SESSION_PATIENCE: Duration = Duration::from_secs(1);

impl Settings {
    /// How a subgraph's database is opened.
    pub fn database(&self, subgraph: &str) -> anyhow::Result<database::Options> {
        check_urls("TECHPOTLI_DATABASE_URL", &self.database_url, true)?;
        check_urls("TECHPOTLI_REPLICA_URLS", &self.replica_urls, false)?;
        let urls = urls_of(&self.database_url, subgraph);
        let url = match urls.into_iter().next_back() {
            None => format!("sqlite:{}", self.data_dir.join(format!("{subgraph}.sqlite")).display()),
            Some(url) => url,
        };
        Ok(database::Options {
            replicas: urls_of(&self.replica_urls, subgraph),
            replica_lag: milliseconds(self.replica_lag_ms),
            connections: self.database_connections.get(),
            statement_timeout: milliseconds(self.statement_timeout_ms),
            ..database::Options::new(url)
        })
    }

    /// The bus. It need not be there yet.
    pub fn bus(&self) -> Result<Bus, BusError> {
        let topics = Topics {
            prefix: self.kafka_prefix.clone(),
            partitions: self.kafka_partitions.get(),
            replication: self.kafka_replication,
        };
        Bus::open(&self.bus_url, &topics)
    }

    /// Where products are searched.
    pub fn search(&self) -> anyhow::Result<SearchUrl> {
        // Parsed here and not by the command line, which would print what it refuses, password and all.
        self.search_url.parse().context("TECHPOTLI_SEARCH_URL is wrong")
    }

    /// Where traces go, if anywhere, and under which name.
    pub fn collector(&self, service: &str) -> anyhow::Result<Option<Collector>> {
        match self.otlp_url.as_str() {
            "" | "none" => Ok(None),
            url if url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty()) => Ok(Some(Collector {
                url: url.to_owned(),
                ratio: self.trace_ratio,
                service: service.to_owned(),
            })),
            _ => anyhow::bail!("TECHPOTLI_OTLP_URL must be 'none' or begin with http://"),
        }
    }

    /// The keys of the installation, made where they are missing.
    pub fn keys(&self) -> anyhow::Result<Keys> {
        let folder = self.data_dir.join("keys");
        Ok(Keys {
            session: SigningKey::load_or_create(&folder.join("session.pem"))?,
            passport: SigningKey::load_or_create(&folder.join("passport.pem"))?,
        })
    }

    /// Makes the data directory and checks that it can be written.
    pub fn prepare_data_dir(&self) -> anyhow::Result<()> {
        let folder = &self.data_dir;
        let check = |folder: &Path| -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let probe = folder.join(format!(".probe-{}", std::process::id()));
            std::fs::write(&probe, b"")?;
            std::fs::remove_file(probe)
        };
        check(folder).with_context(|| format!("the data directory {} cannot be written", folder.display()))
    }

    /// How long to drain.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms.into())
    }

    /// The Redis that processes share, and that is waited for so long; none where each is by itself.
    pub fn redis(&self, patience: Duration) -> anyhow::Result<Option<Remote>> {
        match self.redis_url.as_str() {
            "memory" => Ok(None),
            url => {
                let remote = Remote::at(url, patience).context("TECHPOTLI_REDIS_URL")?;
                Ok(Some(remote.for_tenant(&self.redis_prefix)))
            }
        }
    }

    /// What the gateway is told. Channels are the shop's; a foreign supergraph ignores them.
    pub fn gateway(&self) -> anyhow::Result<GatewayConfig> {
        let mut config = if self.production { GatewayConfig::production() } else { GatewayConfig::default() };
        config.deadline = milliseconds(self.deadline_ms);
        config.replica_lag = milliseconds(self.replica_lag_ms);
        config.limits.cost = self.max_cost;
        config.limits.depth = self.max_depth;
        config.trusted_proxies.clone_from(&self.trusted_proxies);
        config.sessions = self.redis(SESSION_PATIENCE)?;
        let shared = self.redis(milliseconds(self.redis_timeout_ms))?;
        let told = self.redis(SESSION_PATIENCE)?;
        config.written = shared.clone().zip(told).map(|(ask, tell)| SharedWrites { ask, tell });
        config.rates = (self.rate_user > 0 && self.rate_address > 0).then(|| RateLimits {
            per_user: per_minute(self.rate_user),
            per_address: per_minute(self.rate_address),
            cost: (self.rate_cost > 0).then(|| per_minute(self.rate_cost)),
            per_field: self.rate_fields.iter().map(|(field, n)| (field.clone(), per_minute(*n))).collect(),
            shared,
            replicas: self.gateways,
        });
        if !self.cors_origins.is_empty() {
            config.cors = Cors::Origins(self.cors_origins.clone());
        }
        config.context = channels();
        Ok(config)
    }

    /// The identity provider, where it is not the shop itself.
    pub fn identity_provider(&self, address: SocketAddr) -> Option<LoginConfig> {
        if matches!(self.oidc_issuer.as_str(), "" | "embedded") {
            return None;
        }
        let given = |text: &&str| !text.is_empty();
        let clients = self.oidc_bearer_clients.iter().map(String::as_str).filter(given);
        Some(LoginConfig {
            issuer: self.oidc_issuer.clone(),
            public_url: self.public_url(address),
            client_id: self.oidc_client_id.clone(),
            client_secret: self
                .oidc_client_secret
                .clone()
                .filter(|secret| !secret.expose_secret().is_empty()),
            audience: self.oidc_audience.clone(),
            bearer_clients: clients.map(str::to_owned).collect(),
        })
    }

    /// Where browsers find the gateway that listens at this address.
    pub fn public_url(&self, address: SocketAddr) -> String {
        let given = self.public_url.as_deref().filter(|url| !url.is_empty());
        given.map_or_else(
            || {
                let host = match address.ip() {
                    ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                    ip => ip,
                };
                format!("http://{}", SocketAddr::new(host, address.port()))
            },
            str::to_owned,
        )
    }
}

fn milliseconds(setting: NonZeroU32) -> Duration {
    Duration::from_millis(u64::from(setting.get()))
}

fn per_minute(requests: u32) -> Rate {
    Rate { requests, window: Duration::from_secs(60) }
}

fn channels() -> ContextDefaults {
    let channels = seed::CHANNELS.iter().map(|channel| Channel {
        code: channel.code.to_owned(),
        currency: channel.default_currency,
        country: channel.countries.first().copied().unwrap_or("US").to_owned(),
    });
    ContextDefaults {
        channels: channels.collect(),
        locales: vec!["en".into(), "de".into(), "ar".into()],
        ..ContextDefaults::default()
    }
}
