//! The settings: flag, then environment variable, then `.env`, then default. Each is documented in `.env.example`.

mod check;
mod parts;
mod values;

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use gateway::Network;
use messaging::BusUrl;
use runtime::telemetry::LogFormat;
use secrecy::SecretString;

pub use self::check::refuse_unknown_variables;
pub use self::values::named_url;
use self::values::{field_rate, share, topic_prefix};
use crate::cli::{Cli, DEFAULT_LISTEN};

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
