//! From a text to an operation that can run: the engine parses, validates and plans it, or remembers having done so.

use std::cell::Cell;
use std::sync::Arc;

use axum::http::StatusCode;
use engine::{Engine, Operation, PrepareError};

use super::document;
use crate::config::Limits;
use crate::http::body::GraphqlRequest;
use crate::operations;
use crate::rejection::{Code, Rejection};

pub(crate) fn prepare(
    engine: &Engine,
    text: &str,
    request: &GraphqlRequest,
    limits: &Limits,
) -> Result<Arc<Operation>, Rejection> {
    let cached = Cell::new(true);
    let prepared = engine.prepare(text, request.operation_name.as_deref(), &|parsed| {
        // Called only for what is not in the cache.
        cached.set(false);
        document::check(parsed, limits)
    });
    operations::count_plan(cached.get());
    prepared.map_err(|error| match error {
        PrepareError::Internal(cause) => {
            tracing::error!(%cause, "a valid operation could not be planned");
            let message = "Something went wrong on our side.";
            Rejection::http(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
        }
        other => Rejection::request(other.to_graphql()),
    })
}
