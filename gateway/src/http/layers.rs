//! Layers from outside, as this gateway sets them.

use std::any::Any;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use tower_http::CompressionLevel;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::config::Cors;

/// What pages may send: what GraphQL clients are known to, and what this gateway reads.
const ALLOWED_HEADERS: [HeaderName; 19] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("apollo-require-preflight"),
    HeaderName::from_static("apollographql-client-name"),
    HeaderName::from_static("apollographql-client-version"),
    HeaderName::from_static("graphql-client-name"),
    HeaderName::from_static("graphql-client-version"),
    HeaderName::from_static("graphql-require-preflight"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-apollo-operation-name"),
    HeaderName::from_static("x-channel"),
    HeaderName::from_static("x-country"),
    HeaderName::from_static("x-currency"),
    HeaderName::from_static("x-graphql-csrf"),
    HeaderName::from_static("x-request-id"),
    trace::DEBUG,
];

const EXPOSED_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    header::RETRY_AFTER,
];

const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Fast rather than small: a page waits for the slower of the two.
pub(super) fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}

pub(super) fn cors(cors: &Cors) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .expose_headers(EXPOSED_HEADERS)
        .max_age(PREFLIGHT_AGE);
    match cors {
        Cors::Any => layer.allow_origin(AllowOrigin::any()).allow_headers(AllowHeaders::mirror_request()),
        Cors::Origins(origins) => {
            let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
            layer
                .allow_origin(AllowOrigin::list(origins))
                .allow_headers(ALLOWED_HEADERS)
                .allow_credentials(true)
        }
    }
}

pub(super) fn panics() -> CatchPanicLayer<LogPanic> {
    CatchPanicLayer::custom(LogPanic)
}

/// Logs a panic and answers 500; `errors::explain` writes the body.
#[derive(Clone)]
pub(super) struct LogPanic;

impl ResponseForPanic for LogPanic {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send>) -> Response<Body> {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        tracing::error!(panic = text, "a request has panicked");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}
