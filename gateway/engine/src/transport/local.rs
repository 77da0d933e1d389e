//! Subgraphs in this process: a trait that they implement, and the value trees they answer with.

use std::any::Any;
use std::sync::Arc;

use async_graphql_value::{ConstValue, Variables};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::RequestContext;
use crate::error::PathSegment;

/// A subgraph in this process.
///
/// Order and completeness of fields are not relied on: keys may come in any order, and keys that an error
/// has removed may be missing.
pub trait LocalSubgraph: Send + Sync + 'static {
    /// Parses a document that will be executed again and again; called once for each fetch of a plan. The
    /// result comes back in every [`LocalSubgraph::call`].
    fn prepare(&self, document: &str) -> Prepared;

    /// The whole answer to a query, as the body of a response over HTTP, where it is known without executing anything.
    /// `body` is the query as it would be sent over HTTP. What is not known is called.
    fn known(&self, _body: &Bytes, _context: &RequestContext) -> Option<Bytes> {
        None
    }

    /// Executes a query or mutation.
    fn call<'a>(
        &'a self,
        request: LocalRequest<'a>,
        context: &'a RequestContext,
    ) -> BoxFuture<'a, LocalResponse>;

    /// Executes a subscription: one response for each event, until the stream is dropped.
    fn subscribe(
        self: Arc<Self>,
        prepared: Prepared,
        variables: Variables,
        context: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse>;
}

/// A document as a [`LocalSubgraph`] has parsed it: whatever it likes.
pub type Prepared = Arc<dyn Any + Send + Sync>;

/// What a subgraph in this process is asked.
#[derive(Debug)]
pub struct LocalRequest<'a> {
    /// The document, as it was prepared.
    pub prepared: &'a Prepared,
    pub variables: Variables,
    /// The request as it would be sent over HTTP, where it is a query.
    pub body: Option<Bytes>,
}

/// What a subgraph in this process answers.
#[derive(Clone, Debug, Default)]
pub struct LocalResponse {
    /// An object, or null when the whole request failed.
    pub data: ConstValue,
    pub errors: Vec<LocalError>,
    /// Only looked at for the trace and by [`crate::Succession`]; null when there are none.
    pub extensions: ConstValue,
}

/// An error of a subgraph in this process.
#[derive(Clone, Debug, Default)]
pub struct LocalError {
    pub message: String,
    /// In the subgraph's answer. The index that should follow `_entities` may be missing.
    pub path: Vec<PathSegment>,
    /// Without a `code` the message is not shown to clients.
    pub extensions: serde_json::Map<String, serde_json::Value>,
}
