//! A gateway in the process, and short ways to knock at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth::{PassportSigner, PassportVerifier, SigningKey, TokenIssuer, TokenVerifier};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use common::id::SessionId;
use common::{Clock, Ids, Timestamp};
use engine::{Engine, Subgraphs};
use gateway::{Endings, Gateway, GatewayConfig, Keys, Logins};
use http_body_util::BodyExt as _;
use runtime::Tasks;
use serde_json::{Value, json};
use supergraph::Supergraph;
use tower::ServiceExt as _;

use crate::shop::{SDL, Shop};

pub struct Door {
    pub gateway: Gateway,
    pub router: Router,
    pub clock: Clock,
    pub tasks: Tasks,
    /// Subscriptions that run in the subgraph.
    pub running: Arc<AtomicUsize>,
    /// Calls that the subgraph has had.
    pub calls: Arc<AtomicUsize>,
    /// What a subgraph named `shop` checks passports with.
    pub passports: PassportVerifier,
    issuer: TokenIssuer,
    ids: Ids,
}

/// An engine over one subgraph named `shop`.
pub fn engine(sdl: &str, subgraphs: Subgraphs, config: &GatewayConfig) -> Engine {
    let published = compose::Subgraph { name: "shop".into(), url: "http://shop".into(), sdl: sdl.into() };
    let composed = compose::compose(&[published]).unwrap_or_else(|errors| panic!("{errors:?}"));
    let supergraph = Arc::new(Supergraph::parse(&composed.supergraph_sdl).unwrap());
    Engine::new(supergraph, subgraphs, config.engine_options()).unwrap()
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Door {
    /// Waits until so many subscriptions run in the subgraph.
    pub async fn comes_to_run(&self, count: usize) {
        let come = async {
            while self.running.load(Ordering::SeqCst) != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let come = tokio::time::timeout(Duration::from_secs(20), come).await;
        assert!(come.is_ok(), "{} run, not {count}", self.running.load(Ordering::SeqCst));
    }

    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::beside(change, |_, _| None)
    }

    /// The same with log-ins through an identity provider.
    pub fn beside(
        change: impl FnOnce(&mut GatewayConfig),
        login: impl FnOnce(&Clock, &Tasks) -> Option<Logins>,
    ) -> Self {
        Self::at(&Clock::manual(Timestamp(1_800_000_000_000_000)), None, change, login)
    }

    /// The same by a clock that others go by as well, listening to who knows of ended sessions.
    pub fn at(
        clock: &Clock,
        endings: Option<Arc<dyn Endings>>,
        change: impl FnOnce(&mut GatewayConfig),
        login: impl FnOnce(&Clock, &Tasks) -> Option<Logins>,
    ) -> Self {
        let mut config = GatewayConfig::default();
        change(&mut config);
        let shop = Shop::default();
        let (running, calls) = (shop.running.clone(), shop.calls.clone());
        let engine = engine(SDL, Subgraphs::new().with_local("shop", Arc::new(shop)), &config);
        let clock = clock.clone();
        let key = SigningKey::generate();
        let passport_key = SigningKey::generate();
        let tasks = Tasks::new();
        let keys = Keys {
            tokens: TokenVerifier::new(&key.verifying(), clock.clone()),
            passports: Some(PassportSigner::new(&passport_key, clock.clone())),
            clock: clock.clone(),
            endings,
            login: login(&clock, &tasks),
        };
        let gateway = Gateway::new(config, engine, keys, &tasks);
        Self {
            router: gateway.router(),
            gateway,
            tasks,
            running,
            calls,
            passports: PassportVerifier::new(&passport_key, clock.clone(), "shop"),
            issuer: TokenIssuer::new(&key, clock.clone()),
            ids: Ids::counted(),
            clock,
        }
    }

    /// The value of `Authorization` for a user who may do this.
    pub fn token(&self, scopes: &[&str]) -> String {
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        self.issue(self.ids.next(), &scopes)
    }

    /// The same of this session.
    pub fn token_of(&self, session: SessionId) -> String {
        self.issue(session, &[])
    }

    fn issue(&self, session: SessionId, scopes: &[String]) -> String {
        let lifetime = Duration::from_secs(60);
        let (token, _) = self.issuer.issue(self.ids.next(), session, scopes, lifetime).unwrap();
        format!("Bearer {token}")
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status, headers: parts.headers, text }
    }

    /// Posts a document as a modern client does.
    pub async fn query(&self, document: &str) -> Reply {
        self.send(post(&[], &json!({ "query": document }).to_string())).await
    }

    pub async fn query_as(&self, authorization: &str, document: &str) -> Reply {
        let body = json!({ "query": document }).to_string();
        self.send(post(&[("authorization", authorization)], &body)).await
    }

    pub async fn get(&self, uri: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(request("GET", uri, headers, "")).await
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status and the code of the first error.
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let error = &body["errors"][0];
        let id = error["extensions"]["requestId"].as_str().unwrap_or_default();
        assert_eq!(id, self.header("x-request-id"), "an error names its request: {}", self.text);
        assert!(body.get("data").is_none(), "a refused request has no data: {}", self.text);
        (self.status.as_u16(), error["extensions"]["code"].as_str().unwrap_or("no code").to_owned())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What Apollo Client sends.
pub const MODERN: &str = "application/graphql-response+json,application/json;q=0.9";

/// A POST to /graphql; the given headers stand in place of the usual ones.
pub fn post(headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut all = vec![("content-type", "application/json"), ("accept", MODERN)];
    all.retain(|(name, _)| !headers.iter().any(|(given, _)| given == name));
    all.extend_from_slice(headers);
    request("POST", "/graphql", &all, body)
}

pub fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}
