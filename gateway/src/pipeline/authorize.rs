//! What the viewer may see, and how the subgraphs learn who it is.
//!
//! The engine leaves fields out that the grant does not admit, so a denied field is never asked for. Nothing that a
//! client sends reaches a subgraph as it came: the headers are made here, and identity travels as a signed passport, or,
//! within the process, as the [`Viewer`] itself.

use std::sync::Arc;

use auth::{Actor, PASSPORT_HEADER, Viewer};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use engine::{Grant, PassportSigner, RequestContext};

use super::Call;
use crate::Inner;
use crate::http::request_id::REQUEST_ID;

/// Asks for `extensions.debug`; see `respond`.
const DEBUG_HEADER: &str = "x-techpotli-debug";
/// Passed on as they are: they say nothing about who asks (W3C Trace Context).
const TRACE_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// What the engine needs to know of a request beside operation and variables.
pub(crate) fn context(gateway: &Inner, call: &Call) -> RequestContext {
    let viewer = &call.identity.viewer;
    RequestContext {
        headers: headers(call),
        signer: gateway.passports.as_ref().map(|signer| {
            Arc::new(Passports { signer: signer.clone(), viewer: viewer.clone() }) as Arc<dyn PassportSigner>
        }),
        local: Some(viewer.clone()),
        deadline: Some(call.received + gateway.config.deadline),
        grant: grant(viewer),
        audience: if gateway.config.dedupe { audience(viewer) } else { None },
        request_id: Some(call.request_id.clone()),
        observer: Some(gateway.fetches.clone()),
        trace: gateway.config.debug && call.headers.contains_key(DEBUG_HEADER),
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
