//! An engine of search behind a URL, Elasticsearch or OpenSearch: what is sent to it, and what comes back.

mod answer;
mod documents;
mod indices;
mod query;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cache::{Away, Kind, Remote, Tier};
use common::{Breaker, Fault};
use elasticsearch::auth::Credentials;
use elasticsearch::http::headers::HeaderMap;
use elasticsearch::http::transport::{SingleNodeConnectionPool, Transport, TransportBuilder};
use elasticsearch::http::{Method, Url};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use subgraph::EngineUrl;

pub use documents::{Versioned, document};
pub use indices::Into;
pub use query::EngineQuery;

/// How long a search may take. Whoever waits longer is served from the database.
const SEARCH_PATIENCE: Duration = Duration::from_secs(3);
/// What the engine answers, as it stands in its JSON.
const ANSWERS: Kind<Value> = Kind::new("search-answer", 1);
/// How long an answer is kept that nothing has changed: should a change be missed, it is found after so long.
const KEPT: Duration = Duration::from_secs(60);
/// How long everything else may take: it runs in the background.
const WORK_PATIENCE: Duration = Duration::from_secs(60);

/// Which engine it is, by its own answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// Elasticsearch, and its version.
    Elasticsearch(String),
    /// OpenSearch, and its version.
    OpenSearch(String),
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The URL is none.
    #[error("the URL of the search engine cannot be used")]
    Url,
    /// It cannot be reached, or not in time.
    #[error("the search engine does not answer")]
    Away(#[source] elasticsearch::Error),
    /// It is not asked, because it did not answer before.
    #[error("the search engine did not answer lately")]
    Resting,
    /// It answered with an error.
    #[error("the search engine answered {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// It answered something else than was expected.
    #[error("the search engine's answer cannot be read: {0}")]
    Answer(String),
    /// It is of a kind or version that is not spoken to.
    #[error("this is {0}: Elasticsearch 8 and 9 and OpenSearch 2 and 3 are spoken to")]
    Unknown(String),
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self::unavailable("Search", error)
    }
}

/// An engine. Clones share its connections.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    /// `None` where the URL cannot be used.
    transport: Option<Transport>,
    alias: String,
    product: OnceLock<Product>,
    breaker: Breaker,
    /// What it has answered, for all processes that ask it.
    answers: Option<Tier<Value>>,
}

impl Engine {
    /// An engine at a URL, with nothing asked yet.
    pub fn new(url: &EngineUrl, shared: Option<&Remote>) -> Self {
        let transport = Url::parse(&url.base).ok().and_then(|base| {
            // The engine is a neighbour: a proxy for the internet has no part in it.
            let mut transport = TransportBuilder::new(SingleNodeConnectionPool::new(base)).disable_proxy();
            if let Some((user, password)) = &url.login {
                let password = password.expose_secret().to_owned();
                transport = transport.auth(Credentials::Basic(user.clone(), password));
            }
            transport.build().ok()
        });
        if transport.is_none() {
            tracing::error!(url = url.base, "the search engine's URL cannot be used");
        }
        let (product, breaker) = (OnceLock::new(), Breaker::new("search"));
        let tier = |shared: &Remote| Tier::new(shared.clone(), "search", ANSWERS, url.index.clone(), KEPT);
        let answers = shared.map(tier);
        Self(Arc::new(Inner { transport, alias: url.index.clone(), product, breaker, answers }))
    }

    /// The name that searches go to; indices have it with a number behind.
    pub fn alias(&self) -> &str {
        &self.0.alias
    }

    /// Looks whether it answers again, where it did not lately. Whoever searches leaves that to others, who can wait.
    pub async fn look(&self) {
        if self.0.breaker.is_closed() {
            return;
        }
        let Some(turn) = self.0.breaker.turn(Instant::now()) else { return };
        match self.generations().await {
            Ok(_) => turn.succeeded(),
            Err(_) => turn.failed(Instant::now()),
        }
    }

    /// Which engine it is. Asked once.
    pub async fn product(&self) -> Result<&Product, EngineError> {
        if let Some(known) = self.0.product.get() {
            return Ok(known);
        }
        let said = self.work(Method::Get, "/", None).await?;
        let number = said["version"]["number"].as_str().unwrap_or_default().to_owned();
        let major: u32 = number.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        let product = match (said["version"]["distribution"].as_str(), major) {
            (Some("opensearch"), 2 | 3) => Product::OpenSearch(number),
            (None, 8 | 9) => Product::Elasticsearch(number),
            (other, _) => {
                return Err(EngineError::Unknown(format!("{} {number}", other.unwrap_or("Elasticsearch"))));
            }
        };
        tracing::info!(?product, index = self.alias(), "products are searched on an engine");
        Ok(self.0.product.get_or_init(|| product))
    }

    /// Asks something that somebody waits for.
    async fn ask(&self, path: &str, body: &Value) -> Result<Value, EngineError> {
        if !self.0.breaker.is_closed() {
            self.0.breaker.refuse();
            return Err(EngineError::Resting);
        }
        let body = serde_json::to_vec(body).map_err(|error| EngineError::Answer(error.to_string()))?;
        let Some(answers) = &self.0.answers else { return self.ask_now(path, body).await };
        let name = [path.as_bytes(), b"\n", &body].concat();
        answers.get_or_load(&name, self.ask_now(path, body)).await
    }

    /// Whether processes share what it has answered.
    pub fn shares_answers(&self) -> bool {
        self.0.answers.is_some()
    }

    /// Has everything forgotten that was answered until now, because the index says something else from now on. `Away`
    /// where that is still to be done.
    pub async fn forget_answers(&self) -> Result<(), Away> {
        match &self.0.answers {
            Some(answers) => answers.forget().await,
            None => Ok(()),
        }
    }

    async fn ask_now(&self, path: &str, body: Vec<u8>) -> Result<Value, EngineError> {
        let turn = self.0.breaker.turn(Instant::now()).ok_or(EngineError::Resting)?;
        let answered = self.send(Method::Post, path, Some(body), SEARCH_PATIENCE).await;
        match &answered {
            Err(EngineError::Away(_)) => turn.failed(Instant::now()),
            Err(EngineError::Refused { status, .. }) if *status >= 500 || *status == 429 => {
                turn.failed(Instant::now());
            }
            _ => turn.succeeded(),
        }
        answered
    }

    /// Asks something that belongs to background work.
    async fn work(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, EngineError> {
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| EngineError::Answer(error.to_string()))?;
        self.send(method, path, body, WORK_PATIENCE).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        patience: Duration,
    ) -> Result<Value, EngineError> {
        let none: Option<&()> = None;
        let transport = self.0.transport.as_ref().ok_or(EngineError::Url)?;
        let sent = transport.send(method, path, HeaderMap::new(), none, body, Some(patience));
        let response = sent.await.map_err(EngineError::Away)?;
        let status = response.status_code();
        let bytes = response.bytes().await.map_err(EngineError::Away)?;
        let value = serde_json::from_slice(&bytes);
        if status.is_success() {
            return value.map_err(|error| EngineError::Answer(error.to_string()));
        }
        let reason = value.ok().and_then(|value: Value| {
            let error = &value["error"];
            error["reason"].as_str().or(error.as_str()).map(str::to_owned)
        });
        Err(EngineError::Refused { status: status.as_u16(), reason: reason.unwrap_or_default() })
    }
}
