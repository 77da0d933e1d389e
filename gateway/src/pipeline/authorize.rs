//! What the viewer may see, and how the subgraphs learn who it is.
//!
//! The engine leaves fields out that the grant does not admit, so a denied field is never asked for. Nothing that a
//! client sends reaches a subgraph as it came: the headers are made here, and identity travels as a signed passport, or,
//! within the process, as the [`Viewer`] itself; with it goes what they have written a moment ago.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::ast::OperationType;
use auth::{Actor, Asker, PASSPORT_HEADER, SESSION_EXTENSION, ShopContext, Viewer, WRITTEN_EXTENSION};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use engine::{Grant, PassportSigner, RequestContext, Succession};

use trace::{Cause, DEBUG, REQUEST_ID, TRACEPARENT, TRACESTATE};

use super::Call;
use crate::Inner;
use crate::written::Writes;

/// Passed on as they are, once `http::request_id` has looked at them: they say nothing about who asks.
const TRACE_HEADERS: [HeaderName; 2] = [TRACEPARENT, TRACESTATE];

/// What the engine needs to know of a request beside operation and variables.
pub(crate) fn context(gateway: &Arc<Inner>, call: &Call, kind: OperationType) -> RequestContext {
    let trace = gateway.config.debug && call.headers.contains_key(DEBUG);
    let request = RequestContext {
        headers: headers(call, trace),
        outgoing: trace::is_on().then_some(name_the_trace),
        deadline: Some(call.received + gateway.config.deadline),
        request_id: Some(call.request_id.clone()),
        observer: Some(gateway.fetches.clone()),
        trace,
        ..RequestContext::default()
    };
    let viewer = &call.identity.viewer;
    let context = on_behalf(gateway, viewer, &call.writes, request.clone());
    // Within the process only mutations log in or write.
    if kind != OperationType::Mutation && gateway.passports.is_none() {
        return context;
    }
    let follow = Follow {
        gateway: gateway.clone(),
        request,
        address: call.address,
        writes: call.writes.clone(),
        viewer: Mutex::new(viewer.clone()),
    };
    RequestContext { succession: Some(Arc::new(follow)), ..context }
}

/// The request, asked by this viewer, who is to see what they have written.
fn on_behalf(
    gateway: &Inner,
    viewer: &Arc<Viewer>,
    writes: &Writes,
    request: RequestContext,
) -> RequestContext {
    let (written, in_doubt) = (writes.marks(), writes.in_doubt());
    let asker = Arc::new(Asker { viewer: viewer.clone(), written, in_doubt });
    RequestContext {
        signer: gateway.passports.as_ref().map(|signer| {
            Arc::new(Passports { signer: signer.clone(), asker: asker.clone() }) as Arc<dyn PassportSigner>
        }),
        grant: grant(viewer),
        audience: if gateway.config.dedupe { audience(&asker) } else { None },
        local: Some(asker),
        ..request
    }
}

/// What an answer changes for what follows in the same operation.
///
/// Whoever writes sees it from then on, and whoever was shown what is new sees nothing older. Who logs in by a mutation is
/// the viewer of what follows: a subgraph only passes the new access token on, and it must hold here as if the client had
/// sent it, so no subgraph can make a viewer. Which fields the operation may see was decided before, for the one who
/// asked.
struct Follow {
    gateway: Arc<Inner>,
    request: RequestContext,
    address: Option<IpAddr>,
    writes: Writes,
    /// Who asks by now.
    viewer: Mutex<Arc<Viewer>>,
}

impl Succession for Follow {
    fn heeds(&self) -> &[&str] {
        &[SESSION_EXTENSION, WRITTEN_EXTENSION]
    }

    fn after(
        &self,
        subgraph: &str,
        extensions: &serde_json::Value,
        was_mutation: bool,
    ) -> Option<RequestContext> {
        let said = |name| extensions.get(name).map(|said| said.as_str().unwrap_or_default());
        let mut viewer = self.viewer.lock().unwrap_or_else(PoisonError::into_inner);
        let token = said(SESSION_EXTENSION).filter(|_| was_mutation);
        let logged_in = token.and_then(|token| self.log_in(subgraph, token, &viewer.context));
        let has_logged_in = logged_in.is_some();
        if let Some(user) = logged_in {
            *viewer = user;
        }
        let written = said(WRITTEN_EXTENSION).unwrap_or_default();
        let has_written = self.writes.note(written, &self.gateway.written, &viewer, self.address);
        let changed = has_logged_in || has_written;
        changed.then(|| on_behalf(&self.gateway, &viewer, &self.writes, self.request.clone()))
    }
}

impl Follow {
    fn log_in(&self, subgraph: &str, token: &str, shop: &ShopContext) -> Option<Arc<Viewer>> {
        match self.gateway.authenticator.verify(token) {
            // Logging in leads to no other shop.
            Ok((viewer, _)) => Some(Arc::new(Viewer { context: shop.clone(), ..Viewer::clone(&viewer) })),
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

fn headers(call: &Call, debug: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if debug {
        headers.insert(DEBUG, HeaderValue::from_static("plan"));
    }
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

/// A call is below the span that is open when it begins.
fn name_the_trace(headers: &mut HeaderMap) {
    Cause { request: None, ..Cause::now() }.add_to(headers);
}

fn grant(viewer: &Viewer) -> Grant {
    Grant {
        authenticated: viewer.actor != Actor::Anonymous,
        scopes: viewer.scopes.iter().cloned().collect(),
        ..Grant::default()
    }
}

/// Everything about the viewer and what they have written, as bytes: requests are joined only where all of it is equal.
fn audience(asker: &Asker) -> Option<Arc<[u8]>> {
    serde_json::to_vec(&(&asker.viewer, asker.written.to_string(), asker.in_doubt)).ok().map(Arc::from)
}

struct Passports {
    signer: Arc<auth::PassportSigner>,
    asker: Arc<Asker>,
}

impl PassportSigner for Passports {
    fn sign(&self, subgraph: &str, body: &[u8]) -> Option<(HeaderName, HeaderValue)> {
        let passport = self.signer.sign(subgraph, body, self.asker.of(subgraph)).ok()?;
        let value = HeaderValue::from_str(&passport).ok()?;
        Some((HeaderName::from_static(PASSPORT_HEADER), value))
    }
}
