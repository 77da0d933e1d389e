//! What a gateway can be told. `main` reads flags and environment into these structs once.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use auth::ShopContext;
use cache::Remote;
use engine::EngineOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// All settings of a gateway. The default suits development; [`GatewayConfig::production`] closes what only
/// development needs.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// How long an operation may take, body included. Subscriptions are not bound by it.
    pub deadline: Duration,
    /// What a document and a body may be.
    pub limits: Limits,
    /// Join identical queries that are under way at once for the same caller.
    pub dedupe: bool,
    /// How often somebody may ask; `None` switches the limiter off.
    pub rates: Option<RateLimits>,
    /// Who may call from a browser.
    pub cors: Cors,
    /// Refuse requests that a foreign page could make a browser send without asking.
    pub csrf: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Answer `__schema` and `__type`.
    pub introspection: bool,
    /// Answer the header `x-techpotli-debug: plan` with how the answer came about.
    pub debug: bool,
    /// Serve GraphiQL.
    pub graphiql: Option<Graphiql>,
    /// Sockets and event streams.
    pub subscriptions: SubscriptionLimits,
    /// Where browsers' sessions lie and endings of sessions are told of, for all gateways; `None` for this one alone.
    pub sessions: Option<Remote>,
    /// How far behind their databases' replicas the subgraphs may read.
    pub replica_lag: Duration,
    /// Where gateways tell each other what viewers have written; `None` keeps it in this process alone.
    pub written: Option<SharedWrites>,
    /// Channel, currency, country and language of a request that names none.
    pub context: ContextDefaults,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            limits: Limits::default(),
            dedupe: false,
            rates: Some(RateLimits::default()),
            cors: Cors::Any,
            csrf: true,
            trusted_proxies: Vec::new(),
            introspection: true,
            debug: true,
            graphiql: Some(Graphiql::default()),
            subscriptions: SubscriptionLimits::default(),
            sessions: None,
            replica_lag: Duration::from_secs(10),
            written: None,
            context: ContextDefaults::default(),
        }
    }
}

impl GatewayConfig {
    /// Without introspection, debug answers, GraphiQL and foreign origins.
    pub fn production() -> Self {
        Self {
            introspection: false,
            debug: false,
            graphiql: None,
            cors: Cors::Origins(Vec::new()),
            ..Self::default()
        }
    }

    /// What an engine behind this gateway must be told, so that both hold to the same bounds.
    pub fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            parse_recursion_limit: self.limits.recursion,
            parse_token_limit: self.limits.tokens,
            max_validation_errors: self.limits.errors,
            introspection: self.introspection,
            dedupe: self.dedupe,
            ..EngineOptions::default()
        }
    }
}

/// Bounds on what a client sends. Each is checked in time linear in the document, before planning.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's body, counted after it is inflated, and of a GET's query string.
    pub body_bytes: usize,
    /// Lexical tokens of a document, white space and comments among them.
    pub tokens: usize,
    /// Nesting of the syntax: selection sets, list and object literals, types.
    pub recursion: usize,
    /// Nesting of fields, fragments followed. Inside `__schema` and `__type` other bounds hold.
    pub depth: u64,
    /// Aliases of an operation, fragments followed each time they are spread.
    pub aliases: u64,
    /// Fields at the top of an operation, fragments followed.
    pub root_fields: u64,
    /// Directives of a document, fragments followed each time they are spread.
    pub directives: u64,
    /// Fields of an operation, fragments followed each time they are spread.
    pub selections: u64,
    /// Objects that an operation may make the subgraphs build; see `pipeline/cost.rs`.
    pub cost: u64,
    /// How long a list is taken to be where no argument says it.
    pub list_size: u64,
    /// Validation errors in one answer.
    pub errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            tokens: 5_000,
            recursion: 64,
            depth: 12,
            aliases: 30,
            root_fields: 20,
            directives: 50,
            selections: 10_000,
            cost: 5_000,
            list_size: 20,
            errors: 5,
        }
    }
}

/// How often somebody may ask.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// For each address; IPv6 addresses count by their /64.
    pub per_address: Rate,
    /// For each user who is logged in, wherever from.
    pub per_user: Rate,
    /// What the operations of one user may cost together, or of one address where nobody is logged in; `None` for no
    /// bound.
    pub cost: Option<Rate>,
    /// How often one user, or one address where nobody is logged in, may ask for a field at the top of an operation,
    /// such as `sessionCreate`; each alias counts.
    pub per_field: Vec<(String, Rate)>,
    /// Where gateways count together; `None` counts in this process alone.
    pub shared: Option<Remote>,
    /// How many gateways there are: what each lets through by itself while the shared count is away is its part of
    /// the whole.
    pub replicas: NonZeroU32,
}

impl Default for RateLimits {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            per_address: Rate { requests: 6_000, window: minute },
            per_user: Rate { requests: 3_000, window: minute },
            cost: None,
            per_field: Vec::new(),
            shared: None,
            replicas: NonZeroU32::MIN,
        }
    }
}

/// So many requests in a window, all at once if somebody likes (GCRA with a burst of the whole quota).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub requests: u32,
    /// In what time.
    pub window: Duration,
}

/// One Redis, as it is asked and as it is told what viewers have written.
#[derive(Debug, Clone)]
pub struct SharedWrites {
    /// Waited for briefly: where it does not answer, the primaries do.
    pub ask: Remote,
    /// Worth a wait: what others do not know they may answer from a replica.
    pub tell: Remote,
}

/// Which foreign pages may call the API and read its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// All of them, without cookies: the session of a browser counts for pages of this site only, so no other page
    /// gains what it has no token for.
    Any,
    /// These, such as `https://shop.example`, with the cookie of a session.
    Origins(Vec<String>),
}

impl Cors {
    /// Whether a page of this origin may read answers.
    pub(crate) fn admits(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Origins(_) => self.names(origin),
        }
    }

    /// Whether this origin is allowed by its name, and not only because all are.
    pub(crate) fn names(&self, origin: &str) -> bool {
        match self {
            Self::Any => false,
            Self::Origins(origins) => origins.iter().any(|one| one == origin),
        }
    }
}

/// Bounds on subscriptions.
#[derive(Debug, Clone)]
pub struct SubscriptionLimits {
    /// How long a socket may stay without `connection_init`.
    pub init_timeout: Duration,
    /// Operations at a time on one socket.
    pub per_socket: usize,
    /// How often a quiet connection is written to; a socket that says nothing for two of these is closed.
    pub keep_alive: Duration,
    /// How long a peer may take to accept a message.
    pub send_timeout: Duration,
    /// Sockets and event streams open at a time.
    pub connections: usize,
}

impl Default for SubscriptionLimits {
    fn default() -> Self {
        Self {
            init_timeout: Duration::from_secs(5),
            per_socket: 100,
            keep_alive: Duration::from_secs(15),
            send_timeout: Duration::from_secs(10),
            connections: 20_000,
        }
    }
}

/// Where a request stands that does not say so itself by `x-channel`, `x-currency`, `x-country` and
/// `accept-language`.
#[derive(Debug, Clone, Default)]
pub struct ContextDefaults {
    /// When no header says anything.
    pub fallback: ShopContext,
    /// The channels there are, each with the currency and country that go with it. Empty: any name is let
    /// through.
    pub channels: Vec<Channel>,
    /// The languages there are; empty lets any through.
    pub locales: Vec<String>,
}

/// A sales channel and what comes with it.
#[derive(Debug, Clone)]
pub struct Channel {
    /// As in `x-channel`.
    pub code: String,
    /// Used when `x-currency` says nothing.
    pub currency: common::Currency,
    /// Used when `x-country` says nothing.
    pub country: String,
}

/// The GraphiQL page: what the gateway tells it as `/graphiql/tabs.json`. Can be read from JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Graphiql {
    /// Shown at the top.
    pub title: String,
    /// Where operations are posted.
    pub endpoint: String,
    /// Where subscriptions connect.
    pub subscriptions: String,
    /// Tabs that are open at first: objects of `query`, `variables`, `headers` and `remember`, see
    /// `gateway/graphiql/src/configuration.ts`.
    pub tabs: Vec<Value>,
    /// What stands for `"{{name}}"` in the tabs' variables from the start. Other names are learned from answers.
    pub known: Map<String, Value>,
    /// Buttons that log a demo user in: objects of `label`, `query`, `variables` and `token`.
    pub logins: Vec<Value>,
}

impl Default for Graphiql {
    fn default() -> Self {
        Self {
            title: "GraphiQL".into(),
            endpoint: "/graphql".into(),
            subscriptions: "/graphql/ws".into(),
            tabs: Vec::new(),
            known: Map::new(),
            logins: Vec::new(),
        }
    }
}

/// A range of addresses such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no address range: write it like 10.0.0.0/8 or fd00::/8")]
pub struct ParseNetworkError(String);

impl Network {
    /// Whether the address lies in the range. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same_prefix(u128::from(own.to_bits()), u128::from(other.to_bits()), 32 - self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                same_prefix(own.to_bits(), other.to_bits(), 128 - self.prefix)
            }
            _ => false,
        }
    }
}

fn same_prefix(left: u128, right: u128, ignored_bits: u32) -> bool {
    let differing = left ^ right;
    differing.checked_shr(ignored_bits).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let refused = || ParseNetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| refused())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| refused())?,
            None => bits,
        };
        if prefix > bits { Err(refused()) } else { Ok(Self { address, prefix }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_what_shares_its_prefix() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.1", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{network:?} {address}");
        }
    }

    #[test]
    fn nonsense_is_no_network() {
        for text in ["", "10.0.0.0/33", "example.org", "10.0.0/8", "::/129", "10.0.0.0/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
