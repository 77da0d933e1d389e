//! The settings: flag, then environment variable, then `.env`, then default. Each is documented in `.env.example`.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use auth::SigningKey;
use cache::Remote;
use clap::{ArgAction, Args, CommandFactory as _};
use gateway::{
    Channel, ContextDefaults, Cors, GatewayConfig, LoginConfig, Network, Rate, RateLimits, SharedWrites,
};
use messaging::{Bus, BusError, BusUrl, Topics};
use runtime::telemetry::{Collector, LogFormat};
use secrecy::{ExposeSecret as _, SecretString};
use subgraph::{Keys, SearchUrl};

use crate::cli::{Cli, DEFAULT_LISTEN};

/// How long a browser's session is waited for: without it there is no answer, unlike with a count.
const SESSION_PATIENCE: Duration = Duration::from_secs(1);

/// Every setting of every role.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where to listen.
    #[arg(long, global = true, env = "TECHPOTLI_LISTEN", default_value_t = DEFAULT_LISTEN, value_name = "ADDR:PORT")]
    pub listen: SocketAddr,
    /// Where databases, keys, the search index and written mails lie. Delete it to start afresh.
    #[arg(long, global = true, env = "TECHPOTLI_DATA_DIR", default_value = "./data", value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// The databases: `sqlite` for files in the data directory, or mysql://user:password@host:port/name, where each
    /// subgraph gets a database called name_subgraph. More after commas, as SUBGRAPH=URL, say where single ones are,
    /// with their whole names.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_DATABASE_URL",
        default_value = "sqlite",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: String,
    /// How events travel: `memory`, from each process to its peers, or kafka://host:port,host:port, where
    /// `techpotli worker` relays and applies them.
    #[arg(long, global = true, env = "TECHPOTLI_BUS_URL", default_value = "memory", value_name = "URL")]
    pub bus_url: BusUrl,
    /// What the names of all topics and consumer groups begin with.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_KAFKA_PREFIX",
        default_value = "techpotli",
        value_name = "PREFIX",
        value_parser = topic_prefix
    )]
    pub kafka_prefix: String,
    /// Partitions of each publisher's topic where it is made: as many workers can share a subgraph's events. Do not
    /// change it in a running shop, events of one aggregate would be in two partitions.
    #[arg(long, global = true, env = "TECHPOTLI_KAFKA_PARTITIONS", default_value = "6", value_name = "N")]
    pub kafka_partitions: NonZeroU16,
    /// Copies of each topic where it is made; 0 for the brokers' default.
    #[arg(long, global = true, env = "TECHPOTLI_KAFKA_REPLICATION", default_value_t = 0, value_name = "N")]
    pub kafka_replication: u16,
    /// Where products are searched: `embedded` for an index in memory, or http(s)://user:password@host:port of
    /// Elasticsearch 8 or 9 or OpenSearch 2; a path names the index.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_SEARCH_URL",
        default_value = "embedded",
        value_name = "URL",
        hide_env_values = true
    )]
    pub search_url: String,
    /// Replicas of the databases, separated by commas: URLs, and SUBGRAPH=URL, like those of the databases. MariaDB only.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_REPLICA_URLS",
        default_value = "",
        value_name = "URLS",
        hide_env_values = true
    )]
    pub replica_urls: String,
    /// How far behind its database a replica may be that is read, in milliseconds. The same for gateway and subgraphs.
    #[arg(long, global = true, env = "TECHPOTLI_REPLICA_LAG_MS", default_value = "10000", value_name = "MS")]
    pub replica_lag_ms: NonZeroU32,
    /// How long a subgraph may give an answer again that it has made of what it keeps in memory, in milliseconds; 0 for
    /// never.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_REPEAT_ANSWERS_MS",
        default_value_t = 1000,
        value_name = "MS"
    )]
    pub repeat_answers_ms: u32,
    /// Whether a subgraph on SQLite reads the newest of the catalogue, of stock and of users into memory as it starts.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_WARM_UP",
        default_value_t = true,
        action = clap::ArgAction::Set,
        value_name = "BOOL"
    )]
    pub warm_up: bool,
    /// Connections of one subgraph process to its MySQL database, and as many to each replica.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_DATABASE_CONNECTIONS",
        default_value = "16",
        value_name = "N"
    )]
    pub database_connections: NonZeroU32,
    /// How long a statement may take in a MySQL database, in milliseconds.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_STATEMENT_TIMEOUT_MS",
        default_value = "10000",
        value_name = "MS"
    )]
    pub statement_timeout_ms: NonZeroU32,
    /// Whether the shop fills empty databases with demo data at its first start: `demo` or `none`.
    #[arg(long, global = true, env = "TECHPOTLI_SEED", default_value = "demo", value_parser = ["demo", "none"], value_name = "WHAT")]
    pub seed: String,
    /// How logs are written: `pretty` or `json`.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_LOG_FORMAT",
        default_value = "pretty",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
    /// What is logged, such as `info,orders=debug`.
    #[arg(long, global = true, env = "TECHPOTLI_LOG", default_value = "warn", value_name = "FILTER")]
    pub log: String,
    /// Where traces go: a collector that takes OTLP over gRPC, such as http://127.0.0.1:4317; `none` for nowhere.
    #[arg(long, global = true, env = "TECHPOTLI_OTLP_URL", default_value = "none", value_name = "URL")]
    pub otlp_url: String,
    /// The share of requests whose trace is recorded, from 0 to 1. A request that is part of a trace already follows
    /// that one's decision, as far as its sender is believed.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_TRACE_RATIO",
        default_value_t = 0.1,
        value_name = "SHARE",
        value_parser = share
    )]
    pub trace_ratio: f64,
    /// Close what only development needs: introspection, debug answers, GraphiQL, foreign origins.
    #[arg(long, global = true, env = "TECHPOTLI_PRODUCTION", action = ArgAction::SetTrue)]
    pub production: bool,
    /// How long an operation may take, in milliseconds.
    #[arg(long, global = true, env = "TECHPOTLI_DEADLINE_MS", default_value = "10000", value_name = "MS")]
    pub deadline_ms: NonZeroU32,
    /// How long requests are still taken after SIGTERM, in milliseconds, while whoever spreads them looks elsewhere: at
    /// least 2000 where requests must not be lost.
    #[arg(long, global = true, env = "TECHPOTLI_DRAIN_MS", default_value_t = 0, value_name = "MS")]
    pub drain_ms: u32,
    /// How often one user may ask: requests per minute; 0 for no limit on anybody.
    #[arg(long, global = true, env = "TECHPOTLI_RATE_USER", default_value_t = 3_000, value_name = "N")]
    pub rate_user: u32,
    /// How often one address may ask: requests per minute; 0 for no limit on anybody.
    #[arg(long, global = true, env = "TECHPOTLI_RATE_ADDRESS", default_value_t = 6_000, value_name = "N")]
    pub rate_address: u32,
    /// What the operations of one user, or of one address where nobody is logged in, may cost together in a minute; 0
    /// for no bound.
    #[arg(long, global = true, env = "TECHPOTLI_RATE_COST", default_value_t = 0, value_name = "N")]
    pub rate_cost: u32,
    /// How often in a minute one user, or one address where nobody is logged in, may ask for a field at the top of an
    /// operation, aliases counted one by one; separated by commas.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_RATE_FIELDS",
        default_value = "sessionCreate=120,userRegister=60,passwordResetRequest=30",
        value_delimiter = ',',
        value_parser = field_rate,
        value_name = "FIELD=N"
    )]
    pub rate_fields: Vec<(String, u32)>,
    /// Where gateways count together, keep browsers' sessions and tell each other who has written: `memory` for each by itself, redis://host:port, or
    /// redis+cluster://host:port,host:port. While it is away, each counts its share by itself.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_REDIS_URL",
        default_value = "memory",
        value_name = "URL",
        hide_env_values = true
    )]
    pub redis_url: String,
    /// What the names of all keys in Redis begin with: shops that share one have different ones.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_REDIS_PREFIX",
        default_value = "techpotli",
        value_name = "PREFIX",
        value_parser = topic_prefix
    )]
    pub redis_prefix: String,
    /// How long a limit waits for Redis, in milliseconds.
    #[arg(long, global = true, env = "TECHPOTLI_REDIS_TIMEOUT_MS", default_value = "20", value_name = "MS")]
    pub redis_timeout_ms: NonZeroU32,
    /// How many gateways there are.
    #[arg(long, global = true, env = "TECHPOTLI_GATEWAYS", default_value = "1", value_name = "N")]
    pub gateways: NonZeroU32,
    /// Proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8, separated by commas.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "NETWORK"
    )]
    pub trusted_proxies: Vec<Network>,
    /// Origins whose pages may call the API, such as https://shop.example, separated by commas; none for all of them,
    /// or for no foreign one in production.
    #[arg(long, global = true, env = "TECHPOTLI_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGIN")]
    pub cors_origins: Vec<String>,
    /// Who logs people in: `embedded` for the shop itself at /oidc, or the issuer's URL of an identity provider, such as
    /// https://id.example/realms/techpotli.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_OIDC_ISSUER",
        default_value = "embedded",
        value_name = "URL"
    )]
    pub oidc_issuer: String,
    /// The gateway's client at the identity provider.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_OIDC_CLIENT_ID",
        default_value = "techpotli-web",
        value_name = "ID"
    )]
    pub oidc_client_id: String,
    /// The secret of that client; none for a public client.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub oidc_client_secret: Option<SecretString>,
    /// What the identity provider's access tokens must name as their audience.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_OIDC_AUDIENCE",
        default_value = "techpotli-api",
        value_name = "NAME"
    )]
    pub oidc_audience: String,
    /// Other clients whose access tokens are accepted, separated by commas.
    #[arg(
        long,
        global = true,
        env = "TECHPOTLI_OIDC_BEARER_CLIENTS",
        default_value = "techpotli-mobile",
        value_delimiter = ',',
        value_name = "ID"
    )]
    pub oidc_bearer_clients: Vec<String>,
    /// Where browsers find the gateway, such as https://shop.example; where it listens, unless told otherwise. The
    /// identity provider sends them back to /auth/callback there.
    #[arg(long, global = true, env = "TECHPOTLI_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// The most that an operation may cost, see docs/gateway.md.
    #[arg(long, global = true, env = "TECHPOTLI_MAX_COST", default_value_t = 5_000, value_name = "N")]
    pub max_cost: u64,
    /// The deepest that an operation may nest.
    #[arg(long, global = true, env = "TECHPOTLI_MAX_DEPTH", default_value_t = 12, value_name = "N")]
    pub max_depth: u64,
}

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

    /// Checks what can be checked without starting, and says what is in force.
    pub fn check(&self) -> anyhow::Result<()> {
        check_urls("TECHPOTLI_DATABASE_URL", &self.database_url, true)?;
        check_urls("TECHPOTLI_REPLICA_URLS", &self.replica_urls, false)?;
        let search = self.search()?;
        self.prepare_data_dir()?;
        println!("listen        {}", self.listen);
        println!("data          {}", self.data_dir.display());
        let database = if self.database_url == "sqlite" { "SQLite files" } else { "MySQL" };
        println!("database      {database}");
        self.bus()?;
        match &self.bus_url {
            BusUrl::Memory => println!("bus           memory"),
            BusUrl::Kafka(brokers) => println!("bus           Kafka at {brokers}, {}.*", self.kafka_prefix),
        }
        let search = match search {
            SearchUrl::Embedded => "in memory",
            SearchUrl::Engine(_) => "Elasticsearch or OpenSearch",
        };
        println!("search        {search}");
        match self.collector("")? {
            None => println!("traces        nowhere"),
            Some(to) => println!("traces        to {}, {} of the requests", to.url, to.ratio),
        }
        println!("replicas      {}", if self.replica_urls.is_empty() { "none" } else { "are read" });
        println!("production    {}", if self.production { "yes" } else { "no" });
        println!("deadline      {} ms", self.deadline_ms);
        match (self.rate_user, self.rate_address) {
            (0, _) | (_, 0) => println!("rate limits   off"),
            (user, address) => println!("rate limits   {user} a minute per user, {address} per address"),
        }
        match self.redis(SESSION_PATIENCE)? {
            None => println!("shared        nothing: each gateway counts and keeps sessions by itself"),
            Some(redis) if redis.has_slots() => {
                println!("shared        counts, sessions and who has written, in a Redis cluster")
            }
            Some(_) => println!("shared        counts, sessions and who has written, in a Redis"),
        }
        match self.identity_provider(self.listen) {
            None => {
                println!("log-in        by the shop itself, for browsers at {}", self.public_url(self.listen))
            }
            Some(provider) => {
                // The way to it is not taken: whether it is there shows when somebody logs in.
                provider.check()?;
                println!("log-in        by {} for browsers at {}", provider.issuer, provider.public_url);
            }
        }
        println!("The configuration is good.");
        Ok(())
    }
}

fn milliseconds(setting: NonZeroU32) -> Duration {
    Duration::from_millis(u64::from(setting.get()))
}

/// The URLs of a subgraph's databases in a list of URLs and SUBGRAPH=URL. Those of its own stand in for the others.
fn urls_of(list: &str, subgraph: &str) -> Vec<String> {
    let entries = || list.split(',').map(str::trim).filter(|entry| !entry.is_empty() && *entry != "sqlite");
    let own: Vec<String> = entries()
        .filter_map(|entry| entry.split_once('=').filter(|(name, _)| *name == subgraph))
        .map(|(_, url)| url.to_owned())
        .collect();
    if !own.is_empty() {
        return own;
    }
    entries()
        .filter(|entry| entry.starts_with("mysql://"))
        .map(|url| format!("{}_{subgraph}", url.trim_end_matches('/')))
        .collect()
}

/// Checks a list of URLs and SUBGRAPH=URL; the text names no password.
fn check_urls(setting: &str, list: &str, sqlite: bool) -> anyhow::Result<()> {
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let named = entry.split_once('=').filter(|(name, _)| !name.contains(':'));
        if let Some((name, _)) = named
            && crate::rooms::room(name).is_err()
        {
            anyhow::bail!("{setting} names a subgraph '{name}': there is none");
        }
        let url = named.map_or(entry, |(_, url)| url);
        if !(url.starts_with("mysql://") || sqlite && url == "sqlite") {
            let scheme = url.split("//").next().unwrap_or_default();
            let or = if sqlite { "be 'sqlite' or " } else { "" };
            anyhow::bail!("{setting} has '{scheme}': a URL must {or}begin with mysql://");
        }
    }
    Ok(())
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

/// `FIELD=N`: requests a minute.
fn field_rate(text: &str) -> Result<(String, u32), String> {
    let (field, rate) = text.split_once('=').ok_or("it must look like FIELD=N")?;
    let rate = rate.parse().ok().filter(|rate| *rate > 0).ok_or_else(|| format!("'{rate}' is no rate"))?;
    Ok((field.to_owned(), rate))
}

/// A share of something.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("'{text}' is no share from 0 to 1"))
}

/// The beginning of a topic's name.
fn topic_prefix(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match text.is_empty() || text.len() > 100 || !text.bytes().all(legal) {
        true => Err("a prefix has 1 to 100 letters, digits, dots, hyphens and underscores".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// `NAME=URL`, as several flags take it.
pub fn named_url(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("it must look like NAME=URL")?;
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(format!("'{url}' is no URL: it must begin with http:// or https://"));
    }
    Ok((name.to_owned(), url.trim_end_matches('/').to_owned()))
}

/// Refuses environment variables that look like settings and are none: a misspelt one must not pass in silence.
pub fn refuse_unknown_variables() -> Result<(), String> {
    let command = Cli::command();
    let own = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let known: Vec<String> = command
        .get_arguments()
        .chain(own)
        .filter_map(|argument| argument.get_env())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("TECHPOTLI_")
            && !name.starts_with("TECHPOTLI_TEST_")
            && !known.iter().any(|one| *one == name)
        {
            return Err(format!("{name} is no setting of ours: see --help or .env.example"));
        }
    }
    Ok(())
}

impl Settings {
    /// The defaults, with everything in one folder.
    pub fn for_folder(folder: &Path) -> Self {
        use clap::Parser as _;
        let mut settings = Cli::parse_from(["techpotli"]).settings;
        settings.data_dir = folder.to_owned();
        "sqlite".clone_into(&mut settings.database_url);
        settings.bus_url = BusUrl::Memory;
        "embedded".clone_into(&mut settings.search_url);
        settings
    }
}
