//! What depends on this request and not on the document alone: what its way in may carry, and the cost with its
//! variables. Variables are checked against their types by the engine, which knows how it will send them.

use apollo_compiler::ast::OperationType;
use axum::http::{HeaderValue, StatusCode, header};
use engine::Operation;
use serde_json::Map;

use super::Call;
use super::cost::cost;
use crate::config::Limits;
use crate::rejection::{Code, Rejection};

/// The operation's cost, where nothing stands against it.
pub(crate) fn check(operation: &Operation, call: &Call, limits: &Limits) -> Result<u64, Rejection> {
    match operation.kind() {
        OperationType::Mutation if !call.carrier.mutations => {
            let message = "A mutation must be sent by POST.";
            return Err(Rejection::http(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message)
                .with_header(header::ALLOW, HeaderValue::from_static("POST")));
        }
        OperationType::Subscription if !call.carrier.events => {
            let message =
                "A subscription needs a WebSocket (graphql-transport-ws) or 'Accept: text/event-stream'.";
            return Err(Rejection::http(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message));
        }
        _ => {}
    }
    let none = Map::new();
    let variables = call.request.variables.as_ref().unwrap_or(&none);
    let document = operation.document();
    let Ok(definition) = document.operations.get(operation.name()) else { return Ok(0) };
    let cost = cost(document, definition, variables, limits.list_size);
    if cost > limits.cost {
        let limit = limits.cost;
        let message =
            format!("The operation costs {cost}, which is more than {limit}: ask for smaller pages.");
        return Err(Rejection::request_coded(Code::CostExceeded, message));
    }
    Ok(cost)
}
