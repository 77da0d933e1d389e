//! What the viewer may see, and how the subgraphs learn who it is.
//!
//! The engine leaves fields out that the grant does not admit, so a denied field is never asked for. Nothing that a
//! client sends reaches a subgraph as it came: the headers are made here, and identity travels as a signed passport, or,
//! within the process, as the [`Viewer`] itself.

use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use auth::{Actor, PASSPORT_HEADER, SESSION_EXTENSION, ShopContext, Viewer};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use engine::{Grant, PassportSigner, RequestContext, Succession};

use super::Call;
use crate::Inner;
use crate::http::request_id::REQUEST_ID;

/// Asks for `extensions.debug`; see `respond`.
const DEBUG_HEADER: &str = "x-techpotli-debug";
/// Passed on as they are: they say nothing about who asks (W3C Trace Context).
const TRACE_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// What the engine needs to know of a request beside operation and variables.
pub(crate) fn context(gateway: &Arc<Inner>, call: &Call, kind: OperationType) -> RequestContext {
    let request = RequestContext {
        headers: headers(call),
        deadline: Some(call.received + gateway.config.deadline),
        request_id: Some(call.request_id.clone()),
        observer: Some(gateway.fetches.clone()),
        trace: gateway.config.debug && call.headers.contains_key(DEBUG_HEADER),
        ..RequestContext::default()
    };
    let viewer = &call.identity.viewer;
    let context = on_behalf(gateway, viewer, request.clone());
    if kind != OperationType::Mutation {
        return context;
    }
    let log_in = LogIn { gateway: gateway.clone(), request, shop: viewer.context.clone() };
    RequestContext { succession: Some(Arc::new(log_in)), ..context }
}

/// The request, asked by this viewer.
fn on_behalf(gateway: &Inner, viewer: &Arc<Viewer>, request: RequestContext) -> RequestContext {
    RequestContext {
        signer: gateway.passports.as_ref().map(|signer| {
            Arc::new(Passports { signer: signer.clone(), viewer: viewer.clone() }) as Arc<dyn PassportSigner>
        }),
        local: Some(viewer.clone()),
        grant: grant(viewer),
        audience: if gateway.config.dedupe { audience(viewer) } else { None },
        ..request
    }
}

/// Who logs in is the viewer of what follows in the same operation. A subgraph only passes the new access token on: it
/// must hold here as if the client had sent it, so no subgraph can make a viewer. Which fields the operation may see was
/// decided before, for the one who asked.
struct LogIn {
    gateway: Arc<Inner>,
    request: RequestContext,
    /// Logging in leads to no other shop.
    shop: ShopContext,
}

impl Succession for LogIn {
    fn after(&self, subgraph: &str, extensions: &serde_json::Value) -> Option<RequestContext> {
        let token = extensions.get(SESSION_EXTENSION)?.as_str().unwrap_or_default();
        match self.gateway.authenticator.verify(token) {
            Ok((viewer, _)) => {
                let viewer = Arc::new(Viewer { context: self.shop.clone(), ..Viewer::clone(&viewer) });
                Some(on_behalf(&self.gateway, &viewer, self.request.clone()))
            }
            Err(_) => {
                tracing::warn!(
                    subgraph.name = subgraph,
                    "a subgraph has passed on a token that does not hold"
                );
                None
            }
        }
    }
}

fn headers(call: &Call) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(id) = HeaderValue::from_str(&call.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    for name in TRACE_HEADERS {
        if let Some(value) = call.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

fn grant(viewer: &Viewer) -> Grant {
    Grant {
        authenticated: viewer.actor != Actor::Anonymous,
        scopes: viewer.scopes.iter().cloned().collect(),
        ..Grant::default()
    }
}

/// Everything about the viewer, as bytes: requests are joined only where all of it is equal.
fn audience(viewer: &Viewer) -> Option<Arc<[u8]>> {
    serde_json::to_vec(viewer).ok().map(Arc::from)
}

struct Passports {
    signer: Arc<auth::PassportSigner>,
    viewer: Arc<Viewer>,
}

impl PassportSigner for Passports {
    fn sign(&self, subgraph: &str, body: &[u8]) -> Option<(HeaderName, HeaderValue)> {
        let passport = self.signer.sign(subgraph, body, &self.viewer).ok()?;
        let value = HeaderValue::from_str(&passport).ok()?;
        Some((HeaderName::from_static(PASSPORT_HEADER), value))
    }
}
