//! What is added to an answer, and what is noted about it.

use std::sync::Arc;

use engine::{Operation, Response, Trace};
use futures::StreamExt as _;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::authorize::DEBUG_HEADER;
use super::{Answer, Call};
use crate::operations::{self, Live, Outcome, Series};

/// Adds the debug answer where there is a trace, and counts.
pub(crate) fn finish(answer: Answer, operation: &Arc<Operation>, call: &Call, series: Arc<Series>) -> Answer {
    let wish = debug_wish(call);
    match answer {
        Answer::Single(response) => {
            let outcome = outcome_of(&response);
            let took = call.received.elapsed();
            series.record(outcome, took);
            tracing::debug!(
                request.id = %call.request_id,
                operation.name = operation.name().unwrap_or_default(),
                operation.outcome = ?outcome,
                took_us = took.as_micros(),
                "answered"
            );
            Answer::Single(explained(response, operation, wish))
        }
        Answer::Events(events) => {
            let live = Live::subscription();
            let operation = operation.clone();
            Answer::Events(Box::pin(events.map(move |response| {
                let _ = &live;
                explained(response, &operation, wish)
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

/// What the debug header asks for: `plan` shows everything.
fn debug_wish(call: &Call) -> bool {
    call.headers.get(DEBUG_HEADER).is_some()
}

fn explained(mut response: Response, operation: &Operation, wish: bool) -> Response {
    let Some(trace) = response.trace() else { return response };
    operations::count_fetches(trace);
    if wish
        && let Ok(extensions) = serde_json::value::to_raw_value(&json!({ "debug": debug(trace, operation) }))
    {
        add(&mut response, &extensions);
    }
    response
}

fn add(response: &mut Response, extensions: &RawValue) {
    response.add_extensions(extensions);
}

/// How the answer came about. Times are in microseconds; `sql` is what each subgraph says of its database.
fn debug(trace: &Trace, operation: &Operation) -> Value {
    let fetches: Vec<Value> = trace
        .fetches
        .iter()
        .map(|fetch| {
            let sql = fetch.extensions.as_ref().and_then(|extensions| extensions.get("sql"));
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
                "sql": sql,
            })
        })
        .collect();
    json!({
        "operation": operation.name(),
        "durationUs": trace.duration_us,
        "stages": trace.stages,
        "fetches": fetches,
    })
}
