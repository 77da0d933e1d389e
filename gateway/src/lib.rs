//! The gateway: the one door of the API. It speaks HTTP, WebSocket and event streams to clients, decides who may ask
//! what and how much, and lets the engine answer from the subgraphs. It knows no shop: any supergraph will do.
//!
//! - `ended`: sessions that ended before their tokens
//! - `http`: routes, layers, and what is particular to each way in
//! - `login`: log-in through an identity provider
//! - `pipeline`: what happens to every operation, in order
//! - `supergraph`: the engine of the moment, which can be exchanged while requests run
//! - `written`: who has written a moment ago, and what

mod config;
mod ended;
mod http;
mod login;
mod operations;
mod pipeline;
mod rejection;
mod supergraph;
mod written;

use std::sync::Arc;
use std::time::Duration;

use auth::{PassportSigner, TokenVerifier};
use axum::Router;
use common::Clock;
use engine::Engine;
use runtime::Tasks;
use tokio::sync::Semaphore;

pub use config::{
    Channel, ContextDefaults, Cors, GatewayConfig, Graphiql, Limits, Network, ParseNetworkError, Rate,
    RateLimits, SharedWrites, SubscriptionLimits,
};

pub use ended::{Ending, Endings, EndingsUnavailable};
pub use login::{Account, AccountError, Accounts, LoginConfig, LoginConfigError, Logins, Subject, Transport};

use ended::Ended;
use operations::{Fetches, Operations};
use pipeline::authenticate::Authenticator;
use pipeline::limit::Limiter;
use supergraph::Current;
use written::Written;

/// How often the limiter forgets the quiet and the metrics are folded.
const HOUSEKEEPING: Duration = Duration::from_secs(10);

/// How the gateway knows clients, and how the subgraphs know the gateway.
pub struct Keys {
    /// Accepts the access tokens of clients.
    pub tokens: TokenVerifier,
    /// Signs calls to subgraphs over HTTP; `None` for subgraphs that know nothing of passports.
    pub passports: Option<PassportSigner>,
    /// The time that tokens are measured by.
    pub clock: Clock,
    /// Knows which sessions have ended before their access tokens; `None` where nobody does.
    pub endings: Option<Arc<dyn Endings>>,
    /// Log-in through an identity provider; `None` where there is none.
    pub login: Option<Logins>,
}

/// A gateway over one engine at a time. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

/// What every request of a gateway shares.
struct Inner {
    config: GatewayConfig,
    current: Current,
    authenticator: Authenticator,
    logins: Option<Arc<Logins>>,
    limiter: Option<Limiter>,
    written: Written,
    passports: Option<Arc<PassportSigner>>,
    operations: Operations,
    fetches: Arc<Fetches>,
    /// One permit for each socket or event stream that may still be opened.
    streams: Arc<Semaphore>,
    tasks: Tasks,
}

impl Gateway {
    /// A gateway with this engine, which should have been made with [`GatewayConfig::engine_options`]. What it runs
    /// beside its requests ends with `tasks`.
    pub fn new(config: GatewayConfig, engine: Engine, keys: Keys, tasks: &Tasks) -> Self {
        let ended = Ended::new(keys.clock.clone(), keys.endings, config.sessions.clone());
        ended.follow(tasks);
        let logins = keys.login.map(|logins| Arc::new(logins.within(config.sessions.clone(), ended.clone())));
        let authenticator = Authenticator::new(keys.tokens, keys.clock, config.context.clone(), ended);
        let inner = Arc::new(Inner {
            current: Current::new(engine),
            authenticator: authenticator.beside(logins.clone(), config.cors.clone()),
            logins,
            limiter: config.rates.clone().map(Limiter::new),
            written: Written::new(config.replica_lag, config.written.clone(), tasks),
            passports: keys.passports.map(Arc::new),
            operations: Operations::default(),
            fetches: Arc::default(),
            streams: Arc::new(Semaphore::new(config.subscriptions.connections.min(Semaphore::MAX_PERMITS))),
            tasks: tasks.clone(),
            config,
        });
        tasks.spawn("gateway housekeeping", keep_house(inner.clone()));
        Self { inner }
    }

    /// All routes, for a server or for a test that calls them in the process. A server should pass the peers'
    /// addresses on (`into_make_service_with_connect_info`); without them nobody is limited by address.
    pub fn router(&self) -> Router {
        http::router(self.inner.clone())
    }

    /// Routes of others at the same address. They are counted by address as the gateway's own are, and where a field is
    /// named, each POST like an operation with that field.
    pub fn counted(&self, routes: Router, field: Option<&'static str>) -> Router {
        http::counted(routes, self.inner.clone(), field)
    }

    /// Goes over to another engine, such as one for a newer supergraph. Requests under way end on the old one.
    pub fn replace_engine(&self, engine: Engine) {
        self.inner.current.replace(engine);
    }
}

async fn keep_house(inner: Arc<Inner>) {
    let metrics = runtime::telemetry::metrics();
    loop {
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {}
            () = inner.tasks.stopping() => return,
        }
        if let Some(limiter) = &inner.limiter {
            limiter.tidy();
        }
        metrics.run_upkeep();
    }
}
