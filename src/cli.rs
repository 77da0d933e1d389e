//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::settings::Settings;
use crate::supergraph_source::SupergraphSource;

/// An e-commerce backend: eight federated GraphQL subgraphs and their gateway in one binary.
///
/// Without a command it runs the whole shop in one process on embedded backends, fills it with demo data on the first
/// start, and prints where to go. Every setting is a flag, or an environment variable, or a line in the file .env.
#[derive(Debug, Parser)]
#[command(name = "techpotli", version, max_term_width = 110)]
pub struct Cli {
    /// What to be; nothing for the whole shop.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub settings: Settings,
}

impl Cli {
    /// What this process is called in traces.
    pub fn service(&self) -> String {
        let role = match &self.command {
            Some(Command::Gateway(_)) => "gateway",
            Some(Command::Subgraph(subgraph)) => &subgraph.name,
            Some(Command::Worker(_)) => "worker",
            Some(Command::Events(_)) => "events",
            // The shop in one process, and what is over soon.
            _ => return "techpotli".to_owned(),
        };
        format!("techpotli-{role}")
    }
}

/// What the binary can be.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a supergraph: this shop's or anybody's.
    Gateway(GatewayCommand),
    /// Serve one subgraph of the shop as a process of its own.
    Subgraph(SubgraphCommand),
    /// Work for subgraphs that run as processes on Kafka: relay the events they write, apply what they hear, and do what
    /// they have to do in the background.
    ///
    /// Any number of workers share the work; each job has one runner at a time. A worker takes what it began to an end on SIGTERM; what a killed one leaves
    /// undone, another does. --listen serves /health, /ready (databases and brokers answer) and /metrics.
    Worker(WorkerCommand),
    /// Look at events that could not be applied, apply them again, or give them up.
    ///
    /// An event that fails three times by itself becomes a dead letter of the subgraph that could not apply it, so that
    /// it does not hold up those that follow. Once the reason is mended, replay it. The shop may run meanwhile.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Look at what is done in the background, have it tried again, or give it up.
    ///
    /// A job that fails is tried again by itself, with pauses that grow; after ten tries it has failed, and stays so until
    /// somebody retries or drops it. One that comes round goes on all the same. The shop may run meanwhile.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Fill the databases with demo data, more where more is asked for; goes on where a killed run stopped.
    Seed(SeedCommand),
    /// Bring the databases of all subgraphs up to date.
    Migrate,
    /// Look after the search engine.
    #[command(subcommand)]
    Search(SearchCommand),
    /// Print or compose schemas.
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// A gateway.
#[derive(Debug, Args)]
pub struct GatewayCommand {
    /// The supergraph SDL, from `techpotli schema compose` or from any other composer of Apollo Federation: a file, or
    /// an http(s) URL, asked with the ETag of its last answer. When it changes, the gateway goes over to the new one
    /// without dropping a request; what cannot be read or served is told of in the log and changes nothing.
    #[arg(long, env = "TECHPOTLI_SUPERGRAPH", value_name = "FILE|URL", hide_env_values = true)]
    pub supergraph: SupergraphSource,
    /// Where a subgraph is, in place of what the supergraph says: NAME=URL. May be given several times.
    #[arg(long = "subgraph", value_name = "NAME=URL", value_parser = crate::settings::named_url)]
    pub subgraphs: Vec<(String, String)>,
    /// Use the keys in the data directory: accept the shop's access tokens and sign passports for its subgraphs.
    #[arg(long)]
    pub shop_keys: bool,
}

/// One subgraph.
#[derive(Debug, Args)]
pub struct SubgraphCommand {
    /// Which: users, products, cart, orders, payments, inventory, notifications or search.
    pub name: String,
    /// Where the other subgraphs are: NAME=URL, once for each or with commas between.
    #[arg(
        long = "peer",
        env = "TECHPOTLI_PEERS",
        value_name = "NAME=URL",
        value_delimiter = ',',
        value_parser = crate::settings::named_url
    )]
    pub peers: Vec<(String, String)>,
}

/// A worker.
#[derive(Debug, Args)]
pub struct WorkerCommand {
    /// For which subgraphs; none for all of them.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Where subgraphs are that jobs ask: NAME=URL, once for each or with commas between. Without it a worker answers
    /// for those it works for itself.
    #[arg(
        long = "peer",
        env = "TECHPOTLI_PEERS",
        value_name = "NAME=URL",
        value_delimiter = ',',
        value_parser = crate::settings::named_url
    )]
    pub peers: Vec<(String, String)>,
}

/// Dead letters.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// List dead letters: of each subgraph in turn, the oldest event first.
    List {
        /// Only those of this subgraph.
        #[arg(long, value_name = "NAME")]
        subgraph: Option<String>,
        /// How many at most.
        #[arg(long, default_value = "20", value_name = "N")]
        limit: NonZeroU16,
        /// Those after this one, as the end of a list says.
        #[arg(long, value_name = "SUBGRAPH/EVENT")]
        after: Option<String>,
    },
    /// Apply dead letters now.
    ///
    /// Each is applied in one transaction with its inbox entry, so twice has effect once. It comes after events of its
    /// aggregate that were applied meanwhile. One that fails again stays, and the command ends with a failure.
    Replay(Choice),
    /// Give dead letters up for good.
    Drop(Choice),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct Choice {
    /// Only those of this subgraph.
    #[arg(long, value_name = "NAME")]
    pub subgraph: Option<String>,
    /// The events, by their ids.
    #[arg(value_name = "EVENT", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// All of them.
    #[arg(long)]
    pub all: bool,
}

/// Jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs: of each subgraph in turn, the oldest first.
    List {
        /// Only those of this subgraph.
        #[arg(long, value_name = "NAME")]
        subgraph: Option<String>,
        /// Only those that have failed.
        #[arg(long)]
        failed: bool,
        /// How many at most.
        #[arg(long, default_value = "50", value_name = "N")]
        limit: NonZeroU16,
        /// Those after this one, as the end of a list says.
        #[arg(long, value_name = "SUBGRAPH/JOB")]
        after: Option<String>,
    },
    /// Have jobs run as soon as somebody who works for them looks, with all their tries before them.
    Retry(ChosenJobs),
    /// Give jobs up for good. One that comes round comes again, as if it had never run.
    Drop(ChosenJobs),
}

/// Which jobs.
#[derive(Debug, Args)]
pub struct ChosenJobs {
    /// Only those of this subgraph.
    #[arg(long, value_name = "NAME")]
    pub subgraph: Option<String>,
    /// The jobs, by their ids.
    #[arg(value_name = "JOB", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// All that have failed.
    #[arg(long)]
    pub all: bool,
}

/// The size of the demo data.
#[derive(Debug, Args)]
pub struct SeedCommand {
    /// How many products.
    #[arg(long, default_value_t = seed::World::DEMO.products)]
    pub products: u32,
    /// How many users.
    #[arg(long, default_value_t = seed::World::DEMO.users)]
    pub users: u32,
    /// How many orders.
    #[arg(long, default_value_t = seed::World::DEMO.orders)]
    pub orders: u32,
}

/// The search engine.
#[derive(Debug, Subcommand)]
pub enum SearchCommand {
    /// Build the index of TECHPOTLI_SEARCH_URL anew beside the one that is searched, while the shop runs, and put it in
    /// its place.
    ///
    /// For a new release that says so, after synonyms were changed, or when the engine lost its data. Searches go on in
    /// the old index until the new one has every product, events that arrive meanwhile included; then the alias moves
    /// in one step and the old index is removed. Stopped or killed, it goes on where it was when it is called again.
    Reindex {
        /// Have a worker, or the shop in one process, do it: it is tried again where it fails, see `techpotli jobs list`.
        #[arg(long)]
        background: bool,
    },
}

/// Schemas.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Print the schema of one of the shop's subgraphs, or write all generated schemas into a folder.
    Print {
        /// Which subgraph; none prints the composed API.
        #[arg(conflicts_with = "out")]
        subgraph: Option<String>,
        /// Write subgraphs/*.graphql, supergraph.graphql, api.graphql and events/*.json into this folder.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Compose subgraph schemas into a supergraph, printed to standard output.
    Compose {
        /// The subgraphs: NAME=FILE or NAME=FILE@URL.
        #[arg(required = true, value_name = "NAME=FILE[@URL]")]
        subgraphs: Vec<String>,
    },
}

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check every setting and say what is in force.
    Check,
}

/// Where the shop listens unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);
