//! For those who run the gateway: is it alive, should it get requests, how is it doing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::Inner;

const JSON: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
/// The text format of Prometheus.
const METRICS: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];

/// The process runs.
pub(super) async fn alive() -> Response {
    (JSON, r#"{"status":"ok"}"#).into_response()
}

/// It should get requests: not while it drains.
pub(super) async fn ready(State(gateway): State<Arc<Inner>>) -> Response {
    if gateway.tasks.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, JSON, r#"{"status":"draining"}"#).into_response()
    } else {
        (JSON, r#"{"status":"ok"}"#).into_response()
    }
}

pub(super) async fn metrics() -> Response {
    (METRICS, runtime::telemetry::metrics().render()).into_response()
}
