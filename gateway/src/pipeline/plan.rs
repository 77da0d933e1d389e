//! From a text to an operation that can run: the engine parses, validates and plans it, or remembers having done so.

use std::cell::Cell;
use std::sync::Arc;

use axum::http::StatusCode;
use engine::{Engine, GraphQLError, Operation, PrepareError};

use super::document;
use crate::config::Limits;
use crate::http::body::GraphqlRequest;
use crate::operations;
use crate::rejection::{Code, Rejection};

const LONGEST_MESSAGE: usize = 500;

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
        other => Rejection::request(other.to_graphql().into_iter().map(shortened).collect()),
    })
}

/// A message may quote what is wrong, which may be long.
fn shortened(mut error: GraphQLError) -> GraphQLError {
    if error.message.len() > LONGEST_MESSAGE {
        error.message.truncate(error.message.floor_char_boundary(LONGEST_MESSAGE));
        error.message.push('…');
    }
    error
}
