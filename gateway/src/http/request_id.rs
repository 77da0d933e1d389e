//! Every request has an id: the client's, if it is a harmless text, or a new one. It is in the log, in every error and
//! in the answer's `x-request-id`.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

/// The id of the request under way.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let given =
            headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_harmless(id));
        match given {
            Some(id) => Self(id.into()),
            None => Self(uuid::Uuid::now_v7().simple().to_string().into()),
        }
    }

    /// The id as the value of a header.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

/// Outermost of all layers: hands the id to the request and its log, and writes it into the answer, whoever gives it.
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    // At the level of errors, so that they name their request however little is logged.
    let span = tracing::error_span!("request", request.id = %id.0);
    let mut response = next.run(request).instrument(span).await;
    if let Some(value) = id.header() {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn is_harmless(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        let with = |id: &'static str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(id))]);
        assert_eq!(&*RequestId::of(&with("abc-123.4:5")).0, "abc-123.4:5");
        for id in ["", "a b", "<script>", "a\"b"] {
            assert_eq!(RequestId::of(&with(id)).0.len(), 32, "{id}");
        }
        let first = RequestId::of(&HeaderMap::new());
        assert_ne!(first.0, RequestId::of(&HeaderMap::new()).0);
    }
}
