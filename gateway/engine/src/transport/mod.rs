//! How a subgraph is reached: by a call in this process, or over HTTP.

mod http;
mod local;
mod sharing;
mod sse;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use ::http::StatusCode;
use bytes::Bytes;
use futures::FutureExt;
use thiserror::Error;

pub use self::http::{DEADLINE_HEADER, HttpClient, HttpOptions, HttpSubgraph};
pub use self::local::{LocalError, LocalRequest, LocalResponse, LocalSubgraph, Prepared};
pub(crate) use self::sharing::Sharing;
use crate::RequestContext;
use crate::error::ErrorCode;

/// The way to one subgraph.
#[derive(Clone)]
pub enum Transport {
    /// A call in this process.
    Local(Arc<dyn LocalSubgraph>),
    /// HTTP/1.1, or HTTP/2 where TLS agrees on it.
    Http(Arc<HttpSubgraph>),
}

/// The ways to all subgraphs, by the names under which they were published.
#[derive(Clone, Default)]
pub struct Subgraphs {
    transports: HashMap<String, Transport>,
}

impl Subgraphs {
    pub fn new() -> Self {
        Subgraphs::default()
    }

    /// Reaches `name` by a call in this process.
    pub fn with_local(self, name: impl Into<String>, subgraph: Arc<dyn LocalSubgraph>) -> Self {
        self.with(name, Transport::Local(subgraph))
    }

    /// Reaches `name` over HTTP.
    pub fn with_http(self, name: impl Into<String>, subgraph: HttpSubgraph) -> Self {
        self.with(name, Transport::Http(Arc::new(subgraph)))
    }

    /// Reaches `name` by this transport.
    pub fn with(mut self, name: impl Into<String>, transport: Transport) -> Self {
        self.transports.insert(name.into(), transport);
        self
    }

    /// The way to the subgraph of this name.
    pub fn transport(&self, name: &str) -> Option<&Transport> {
        self.transports.get(name)
    }
}

/// Why a subgraph has not answered. The text names no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum CallError {
    #[error("could not be reached")]
    Unreachable,
    #[error("answered with status {}", .0.as_u16())]
    Status(StatusCode),
    #[error("answered with more bytes than allowed")]
    TooLarge,
    #[error("gave an answer that is no GraphQL response")]
    Malformed,
    #[error("did not answer in time")]
    Deadline,
    #[error("has failed")]
    Panicked,
    #[error("cannot stream events")]
    NoStream,
}

impl CallError {
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            CallError::Deadline => ErrorCode::DeadlineExceeded,
            CallError::Panicked | CallError::NoStream => ErrorCode::Internal,
            _ => ErrorCode::SubgraphUnavailable,
        }
    }
}

/// A request to a subgraph, in the form its transport takes.
pub(crate) enum Call<'a> {
    /// What a subgraph in this process has known.
    Known(Bytes),
    Local {
        subgraph: &'a dyn LocalSubgraph,
        request: LocalRequest<'a>,
    },
    Http {
        subgraph: &'a HttpSubgraph,
        name: &'a str,
        body: Bytes,
        /// For queries, where identical ones may be joined.
        sharing: Option<&'a Sharing>,
    },
}

/// What a subgraph has answered, in the form its transport gives.
#[derive(Debug)]
pub(crate) enum Answer {
    Local(LocalResponse),
    Json { status: u16, body: Bytes },
}

impl Call<'_> {
    /// Sends the request and waits for the whole answer, however long it takes: the deadline is watched by
    /// whoever waits for all fetches.
    pub(crate) async fn send(self, context: &RequestContext) -> Result<Answer, CallError> {
        match self {
            Call::Known(body) => Ok(Answer::Json { status: 200, body }),
            Call::Local { subgraph, request } => {
                // A panic is the fault of one fetch, as it would be in a process of its own.
                let answering = async { subgraph.call(request, context).await };
                let answer = AssertUnwindSafe(answering).catch_unwind().await;
                answer.map(Answer::Local).map_err(|_| CallError::Panicked)
            }
            Call::Http { subgraph, name, body, sharing } => {
                let outcome = match (sharing, &context.audience) {
                    (Some(sharing), Some(audience)) => {
                        sharing.call(subgraph, name, body, audience.clone(), context).await
                    }
                    _ => subgraph.send(name, body, context).await,
                };
                outcome.map(|(status, body)| Answer::Json { status, body })
            }
        }
    }
}
