//! Every request has an id: the client's, if it is a harmless text, or a new one. It is in the log, in every error and
//! in the answer's `x-request-id`. Where traces are collected, it is also in a trace: the client's, or a new one.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use trace::{REQUEST_ID, RequestId, TRACEPARENT, TRACESTATE, TraceParent};
use tracing::Span;
use tracing::field::Empty;

use super::address;
use crate::config::{GatewayConfig, Network};

/// Whose word it is that a trace is to be recorded: in production the proxies', who speak for the installation, and
/// otherwise everybody's, so that a developer sees any request that they like.
#[derive(Debug, Clone)]
pub(crate) struct Believed {
    proxies: Vec<Network>,
    everybody: bool,
}

impl Believed {
    pub(crate) fn by(config: &GatewayConfig) -> Self {
        Self { proxies: config.trusted_proxies.clone(), everybody: config.debug }
    }

    /// Where in a trace the request is, and whether the trace is recorded. What is left in the headers is what subgraphs
    /// may be told.
    fn place(&self, request: &mut Request) -> (Option<TraceParent>, bool) {
        let parent = take_parent(request.headers_mut());
        if !trace::is_on() || !is_of_interest(request.uri().path()) {
            return (parent, false);
        }
        let believed = self.everybody || address::is_of(request.extensions(), &self.proxies);
        let recorded = trace::is_recorded(parent.as_ref(), believed);
        if let Some(parent) = parent.filter(|_| !recorded) {
            let unsampled = HeaderValue::from_str(&parent.unsampled().to_string());
            request.headers_mut().extend(unsampled.ok().map(|value| (TRACEPARENT, value)));
        }
        (parent, recorded)
    }
}

/// Outermost of all layers: hands the id to the request and its log, and writes it into the answer, whoever gives it.
pub(crate) async fn identify(State(believed): State<Believed>, mut request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    request.extensions_mut().insert(id.clone());
    let (parent, recorded) = believed.place(&mut request);
    let about = recorded.then(|| (request.method().clone(), request.uri().path().to_owned()));
    let span = || {
        let (method, path) = about.unwrap_or_default();
        tracing::info_span!(
            target: trace::ROOT, "request", otel.kind = "server", otel.name = format!("{method} {path}"),
            otel.status_code = Empty, request.id = &**id.text(), http.request.method = %method, url.path = path,
            http.response.status_code = Empty, graphql.operation.name = Empty
        )
    };
    let answering = async {
        let response = next.run(request).await;
        if recorded {
            let span = Span::current();
            span.record("http.response.status_code", response.status().as_u16());
            if response.status().is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
        }
        response
    };
    let mut response = trace::carry(Some(id.clone()), parent, recorded, span, answering).await;
    if let Ok(value) = HeaderValue::from_str(id.text()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Probes, metrics and pages would drown what people do.
fn is_of_interest(path: &str) -> bool {
    path == "/graphql" || path.starts_with("/graphql/") || path.starts_with("/auth/")
}

fn id_of(headers: &HeaderMap) -> RequestId {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).and_then(RequestId::parse);
    given.unwrap_or_else(|| {
        RequestId::parse(&uuid::Uuid::now_v7().simple().to_string())
            .expect("32 letters and digits are harmless")
    })
}

/// The client's place in a trace. One that is not well-formed, or not alone, goes no further, and with it what belongs
/// to it (W3C Trace Context, section 3.2).
fn take_parent(headers: &mut HeaderMap) -> Option<TraceParent> {
    if !headers.contains_key(TRACEPARENT) {
        // Without it, this says nothing.
        headers.remove(TRACESTATE);
        return None;
    }
    let mut values = headers.get_all(TRACEPARENT).iter();
    let parent = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    if parent.is_none() {
        headers.remove(TRACEPARENT);
        headers.remove(TRACESTATE);
    }
    parent
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        let with = |id: &'static str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(id))]);
        assert_eq!(&**id_of(&with("abc-123.4:5")).text(), "abc-123.4:5");
        for id in ["", "a b", "<script>", "a\"b"] {
            assert_eq!(id_of(&with(id)).text().len(), 32, "{id}");
        }
        let first = id_of(&HeaderMap::new());
        assert_ne!(first, id_of(&HeaderMap::new()));
    }

    #[test]
    fn a_place_in_a_trace_goes_on_only_if_it_is_one() {
        let headers = |parents: &[&'static str]| {
            let parents = parents.iter().map(|parent| (TRACEPARENT, HeaderValue::from_static(parent)));
            HeaderMap::from_iter(parents.chain([(TRACESTATE, HeaderValue::from_static("vendor=1"))]))
        };
        let mut good = headers(&[PARENT]);
        assert_eq!(take_parent(&mut good).map(|parent| parent.to_string()).as_deref(), Some(PARENT));
        assert_eq!(
            (&good[TRACEPARENT], &good[TRACESTATE]),
            (&HeaderValue::from_static(PARENT), &HeaderValue::from_static("vendor=1"))
        );
        for parents in [&[][..], &["nonsense"], &[PARENT, PARENT]] {
            let mut bad = headers(parents);
            assert_eq!(take_parent(&mut bad), None, "{parents:?}");
            assert_eq!(bad, HeaderMap::new(), "{parents:?}");
        }
    }
}
