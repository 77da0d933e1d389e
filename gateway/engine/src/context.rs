//! What a request brings along beside its operation and variables.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use supergraph::Authorization;
use tokio::time::Instant;

/// Proves to a subgraph that the gateway sent a request, and for whom.
pub trait PassportSigner: Send + Sync {
    /// The header to add to a request with this body to this subgraph.
    fn sign(&self, subgraph: &str, body: &[u8]) -> Option<(HeaderName, HeaderValue)>;
}

/// Hears of every call of a subgraph, for whoever counts them.
pub trait FetchObserver: Send + Sync {
    /// A call is over: `status` is as in [`crate::FetchTrace`], `errors` is what the subgraph reported.
    fn fetched(&self, subgraph: &str, took: Duration, status: u16, errors: usize);
}

/// Hears what a subgraph says beside its data, and may have what follows asked in another's name.
pub trait Succession: Send + Sync {
    /// The members of `extensions` that are heard. An answer that has none of them is not looked into any further.
    fn heeds(&self) -> &[&str];

    /// The context of the calls that begin after this one; `None` leaves things as they are. Of the new context
    /// only what is sent counts: headers, signer, local value and audience.
    fn after(
        &self,
        subgraph: &str,
        extensions: &serde_json::Value,
        was_mutation: bool,
    ) -> Option<RequestContext>;
}

/// What the caller may see, for field authorisation. The default is an unknown caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    pub authenticated: bool,
    pub scopes: BTreeSet<String>,
    /// The policies, of those that the schema names, that hold for the caller.
    pub policies: BTreeSet<String>,
}

impl Grant {
    pub(crate) fn satisfies(&self, authorization: &Authorization) -> bool {
        authorization.admits(
            self.authenticated,
            |scope| self.scopes.contains(scope),
            |policy| self.policies.contains(policy),
        )
    }
}

/// What a request brings along. Dropping the future or the stream that runs it cancels all its fetches.
#[derive(Clone, Default)]
pub struct RequestContext {
    /// Sent with every call over HTTP, such as `traceparent` and `x-request-id`.
    pub headers: HeaderMap,
    /// Adds to the headers of a call over HTTP what is known only when it begins, such as its place in a trace.
    pub outgoing: Option<fn(&mut HeaderMap)>,
    /// Signs every call over HTTP.
    pub signer: Option<Arc<dyn PassportSigner>>,
    /// Handed to subgraphs in this process as it is; [`RequestContext::local`] gets it back typed.
    pub local: Option<Arc<dyn Any + Send + Sync>>,
    /// When the answer must be there. What has not come by then is null, with `DEADLINE_EXCEEDED`.
    pub deadline: Option<Instant>,
    /// For field authorisation.
    pub grant: Grant,
    /// Who is asking, in full: calls are joined with identical ones only of an equal audience, and never
    /// without one.
    pub audience: Option<Arc<[u8]>>,
    /// Put into `extensions.requestId` of every error.
    pub request_id: Option<Arc<str>>,
    /// Hears of every call of a subgraph.
    pub observer: Option<Arc<dyn FetchObserver>>,
    /// Asked after each call whose answer says something that it heeds.
    pub succession: Option<Arc<dyn Succession>>,
    /// Whether to note what was fetched, see [`crate::Trace`].
    pub trace: bool,
}

impl RequestContext {
    /// The value handed to subgraphs in this process, if it is a `T`.
    pub fn local<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.local.clone().and_then(|local| local.downcast().ok())
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("deadline", &self.deadline)
            .field("grant", &self.grant)
            .field("request_id", &self.request_id)
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}
