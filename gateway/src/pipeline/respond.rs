//! What is added to an answer, and what is noted about it.

use std::sync::Arc;

use engine::{Engine, Operation, Response, Trace};
use futures::StreamExt as _;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::{Answer, Call};
use crate::operations::{Live, Outcome, Series};

/// Adds the debug answer where it was asked for, and counts.
pub(crate) fn finish(
    answer: Answer,
    engine: &Engine,
    operation: &Arc<Operation>,
    call: &Call,
    series: &Series,
) -> Answer {
    match answer {
        Answer::Single(response) => {
            let outcome = outcome_of(&response);
            let took = call.received.elapsed();
            series.record(outcome, took);
            tracing::debug!(
                operation.name = operation.name().unwrap_or_default(),
                operation.outcome = ?outcome,
                took_us = took.as_micros(),
                "answered"
            );
            Answer::Single(explained(response, engine, operation))
        }
        Answer::Events(events) => {
            let live = Live::subscription();
            let (engine, operation) = (engine.clone(), operation.clone());
            Answer::Events(Box::pin(events.map(move |response| {
                let _counted = &live;
                explained(response, &engine, &operation)
            })))
        }
    }
}

/// Counts an operation that was not let through.
pub(crate) fn record_rejection(series: &Series, call: &Call) {
    series.record(Outcome::Refused, call.received.elapsed());
}

fn outcome_of(response: &Response) -> Outcome {
    match (response.is_executed(), response.error_count()) {
        (false, _) => Outcome::Refused,
        (true, 0) => Outcome::Complete,
        (true, _) => Outcome::Partial,
    }
}

/// Adds what subgraphs say to the client, and how the answer came about. There is a trace only where the debug header was
/// sent and is listened to.
fn explained(mut response: Response, engine: &Engine, operation: &Operation) -> Response {
    if response.said().is_none() && response.trace().is_none() {
        return response;
    }
    let mut extensions = response.said().cloned().unwrap_or_default();
    if let Some(trace) = response.trace() {
        extensions.insert("debug".into(), debug(trace, engine, operation));
    }
    if let Ok(extensions) = to_raw_value(&extensions) {
        response.add_extensions(&extensions);
    }
    response
}

/// How the answer came about. Times are in microseconds; `sql` and `statements` are
/// what a subgraph says of its database: how many statements ran, and which.
fn debug(trace: &Trace, engine: &Engine, operation: &Operation) -> Value {
    let fetches: Vec<Value> = trace
        .fetches
        .iter()
        .map(|fetch| {
            let said = |name| fetch.extensions.as_ref().and_then(|extensions| extensions.get(name));
            json!({
                "fetch": fetch.fetch,
                "subgraph": fetch.subgraph,
                "startUs": fetch.start_us,
                "durationUs": fetch.duration_us,
                "sentBytes": fetch.sent_bytes,
                "receivedBytes": fetch.received_bytes,
                "entities": fetch.entities,
                "status": fetch.status,
                "errors": fetch.errors,
                "sql": said("sql"),
                "statements": said("statements"),
            })
        })
        .collect();
    // For a viewer who may not see all of it, the plan of those who may.
    let plan = operation.plan().explain(engine.supergraph()).to_string();
    json!({
        "operation": operation.name(),
        "durationUs": trace.duration_us,
        "stages": trace.stages,
        "fetches": fetches,
        "plan": plan.lines().collect::<Vec<_>>(),
    })
}
