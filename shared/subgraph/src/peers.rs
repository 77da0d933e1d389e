//! Calls from one subgraph to another, under its own name: in this process or over HTTP, the same document.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_graphql::{Variables, from_value};
use auth::{PASSPORT_HEADER, PassportSigner, Viewer, WRITTEN_EXTENSION};
use common::{Fault, FaultCode, Marks};
use events::calls::Call;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trace::Cause;
use tracing::Instrument as _;

use crate::{Document, Subgraph};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that nobody has used for so long is not used again: shorter than peers drain for, so that they close none
/// under a call.
const IDLE: Duration = Duration::from_secs(1);
/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 8 << 20;

/// Where a subgraph is.
#[derive(Clone)]
pub enum Peer {
    /// In this process.
    Local(Arc<Subgraph>),
    /// Behind this base URL.
    Remote(String),
}

/// The other subgraphs, as one of them sees them. Clones share what is known.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

struct Inner {
    peers: RwLock<HashMap<String, Peer>>,
    documents: Mutex<HashMap<&'static str, Arc<Document>>>,
    /// How far the peers' databases were when they last answered.
    written: Mutex<Marks>,
    client: Client<HttpConnector, Full<Bytes>>,
    signer: PassportSigner,
}

impl Peers {
    /// Nobody is known yet.
    pub fn new(signer: PassportSigner) -> Self {
        Self(Arc::new(Inner {
            peers: RwLock::default(),
            documents: Mutex::default(),
            written: Mutex::default(),
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build_http(),
            signer,
        }))
    }

    /// Says where `subgraph` is.
    pub fn know(&self, subgraph: &str, peer: Peer) {
        self.0.peers.write().unwrap_or_else(PoisonError::into_inner).insert(subgraph.to_owned(), peer);
    }

    /// Makes a call of the contracts in `events::calls` as the service `caller`.
    pub async fn ask<C: Call>(&self, caller: &str, request: &C) -> Result<C::Reply, Fault> {
        #[derive(serde::Deserialize)]
        #[serde(bound = "T: DeserializeOwned")]
        struct Answered<T> {
            reply: T,
        }
        let variables = serde_json::json!({ "request": request });
        let answered: Answered<C::Reply> = self.call(caller, C::SUBGRAPH, C::DOCUMENT, variables).await?;
        Ok(answered.reply)
    }

    /// Runs a document in `subgraph` as the service `caller` and reads its data as a `T`. Any GraphQL error is a fault
    /// with the error's code.
    pub async fn call<T: DeserializeOwned>(
        &self,
        caller: &str,
        subgraph: &str,
        document: &'static str,
        variables: impl Serialize,
    ) -> Result<T, Fault> {
        cache::rely_on_others();
        let peer = self.0.peers.read().unwrap_or_else(PoisonError::into_inner).get(subgraph).cloned();
        let peer = peer.ok_or_else(|| Fault::unavailable(subgraph, "no such peer is configured"))?;
        let variables = serde_json::to_value(variables).map_err(Fault::internal)?;
        let called = async {
            match peer {
                Peer::Local(local) => self.call_local(&local, caller, document, variables).await,
                Peer::Remote(url) => {
                    let body = serde_json::json!({ "query": document, "variables": variables });
                    let bytes = self.post(&url, "/graphql", subgraph, caller, &body).await?;
                    serde_json::from_slice(&bytes).map_err(Fault::internal)
                }
            }
        };
        let span = tracing::info_span!(
            target: trace::TARGET, "call", otel.kind = "client",
            otel.name = format!("call {subgraph}"), subgraph.name = subgraph
        );
        let response: async_graphql::Response = tokio::time::timeout(TIMEOUT, called.instrument(span))
            .await
            .map_err(|late| Fault::unavailable(subgraph, late))??;
        self.note_written(&response);
        if let Some(error) = response.errors.first() {
            return Err(fault_of(error));
        }
        from_value(response.data).map_err(Fault::internal)
    }

    fn note_written(&self, response: &async_graphql::Response) {
        let Some(async_graphql::Value::String(text)) = response.extensions.get(WRITTEN_EXTENSION) else {
            return;
        };
        if let Ok(marks) = text.parse() {
            self.0.written.lock().unwrap_or_else(PoisonError::into_inner).renew(&marks);
        }
    }

    /// How far the databases of peers are that have answered, at least: whatever was asked of them is in there.
    pub(crate) fn written(&self) -> Marks {
        self.0.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn call_local(
        &self,
        local: &Subgraph,
        caller: &str,
        document: &'static str,
        variables: serde_json::Value,
    ) -> Result<async_graphql::Response, Fault> {
        let parsed = self.document(document)?;
        let variables = Variables::from_json(variables);
        Ok(local.run(&parsed, variables, None, Viewer::service(caller), false).await.response)
    }

    fn document(&self, text: &'static str) -> Result<Arc<Document>, Fault> {
        let mut documents = self.0.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = documents.get(text) {
            return Ok(Arc::clone(document));
        }
        let document = Arc::new(Document::parse(text)?);
        documents.insert(text, Arc::clone(&document));
        Ok(document)
    }

    /// Posts JSON to a subgraph with a passport of `caller`, and returns the body of a successful answer.
    pub(crate) async fn post(
        &self,
        url: &str,
        path: &str,
        subgraph: &str,
        caller: &str,
        body: &impl Serialize,
    ) -> Result<Bytes, Fault> {
        let body = Bytes::from(serde_json::to_vec(body).map_err(Fault::internal)?);
        let passport =
            self.0.signer.sign(subgraph, &body, Viewer::service(caller)).map_err(Fault::internal)?;
        let mut request = http::Request::post(format!("{}{path}", url.trim_end_matches('/')))
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(PASSPORT_HEADER, passport)
            .body(Full::new(body))
            .map_err(Fault::internal)?;
        Cause::now().add_to(request.headers_mut());
        let answer =
            self.0.client.request(request).await.map_err(|error| Fault::unavailable(subgraph, error))?;
        let status = answer.status();
        let bytes = Limited::new(answer.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| Fault::unavailable(subgraph, error))?
            .to_bytes();
        if status.is_success() {
            return Ok(bytes);
        }
        Err(Fault::unavailable(subgraph, format!("it answered {status}")))
    }
}

fn fault_of(error: &async_graphql::ServerError) -> Fault {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    let code = match code {
        Some(async_graphql::Value::String(code)) => match code.as_str() {
            "SUBGRAPH_UNAVAILABLE" => FaultCode::Unavailable,
            "DEADLINE_EXCEEDED" => FaultCode::DeadlineExceeded,
            "CONFLICT" => FaultCode::Conflict,
            "UNAUTHENTICATED" => FaultCode::Unauthenticated,
            "FORBIDDEN" => FaultCode::Forbidden,
            "BAD_USER_INPUT" => FaultCode::BadInput,
            _ => FaultCode::Internal,
        },
        _ => FaultCode::Internal,
    };
    Fault::new(code, error.message.clone())
}
