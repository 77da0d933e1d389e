//! What a piece of work belongs to: a request, by its id, and a trace, by W3C Trace Context.
//!
//! Both travel along: in the task that answers a request ([`carry`]), in headers of calls, in the row of an event that
//! the request writes ([`Cause`]), and with it to whoever applies the event. The log reads them here, so a line needs no
//! span to name its request.
//!
//! Whether a trace is recorded is decided once, at its beginning ([`is_recorded`]), and goes with it. A span is made only
//! below one that is recorded. Where there is no collector, or the trace is not recorded, what remains is a look at a
//! static and at a thread's variable: spans and their attributes cost nothing.

mod cause;
mod request_id;
mod statement;
mod traceparent;

use std::future::Future;
use std::sync::OnceLock;

use futures::stream::{Stream, StreamExt as _, poll_fn};
use opentelemetry::trace::{TraceContextExt as _, TraceId};
use tokio::task::futures::TaskLocalFuture;
use tracing::instrument::{Instrument as _, Instrumented};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

pub use cause::Cause;
pub use request_id::{DEBUG, REQUEST_ID, RequestId};
pub use statement::statement;
pub use traceparent::{TRACEPARENT, TRACESTATE, TraceParent};

/// The target of spans for traces. No log line is about them.
pub const TARGET: &str = "otel";
/// The same for spans that begin a trace in this process. They must be made in [`carry`] or [`Cause::begin`].
pub const ROOT: &str = "otel::root";

/// The share of new traces that is recorded, once there is somebody to send them to.
static RATIO: OnceLock<f64> = OnceLock::new();

tokio::task_local! {
    static UNDERWAY: Underway;
}

/// What the task at hand belongs to.
#[derive(Debug, Clone, Default)]
pub struct Underway {
    /// The request.
    pub request: Option<RequestId>,
    /// The trace, where it is recorded.
    pub trace: Option<TraceId>,
}

/// Work that belongs to something.
pub type Carried<F> = TaskLocalFuture<Underway, Instrumented<F>>;

/// From now on this share of the traces that begin here is recorded, and spans of this process are sent somewhere.
pub fn record(ratio: f64) {
    // What was said first counts.
    let _ = RATIO.set(ratio);
}

/// Whether spans of this process are sent anywhere.
pub fn is_on() -> bool {
    RATIO.get().is_some()
}

/// Whether a trace that begins here is recorded. Who continues one that is not recorded is followed; who wants theirs
/// recorded is followed only where they are `believed`, for recording costs us and not them.
pub fn is_recorded(parent: Option<&TraceParent>, believed: bool) -> bool {
    let Some(ratio) = RATIO.get() else { return false };
    match parent {
        Some(parent) if !parent.is_sampled() => false,
        Some(_) if believed => true,
        _ => fastrand::f64() < *ratio,
    }
}

/// What the task at hand belongs to.
pub fn underway() -> Underway {
    UNDERWAY.try_with(Clone::clone).unwrap_or_default()
}

/// Runs `work` for a request; its log lines name the request. Where it is `recorded`, `span` (of the target [`ROOT`])
/// is around it, below `parent`.
pub fn carry<F: Future>(
    request: Option<RequestId>,
    parent: Option<TraceParent>,
    recorded: bool,
    span: impl FnOnce() -> tracing::Span,
    work: F,
) -> Carried<F> {
    let span = match recorded && is_on() {
        true => begin(parent, span),
        false => tracing::Span::none(),
    };
    let trace = (!span.is_none()).then(|| span.context().span().span_context().trace_id());
    let trace = trace.filter(|trace| *trace != TraceId::INVALID);
    UNDERWAY.scope(Underway { request, trace }, work.instrument(span))
}

/// Runs `work` in a task of its own as a part of what the task at hand belongs to, below the span that is open here.
pub fn carry_on<F: Future>(work: F) -> Carried<F> {
    UNDERWAY.scope(underway(), work.in_current_span())
}

/// A stream that goes on when the task at hand is over, such as the events of a subscription: what it says in the log
/// still belongs to what the task belongs to.
pub fn carry_stream<S: Stream + Unpin>(mut stream: S) -> impl Stream<Item = S::Item> + use<S> {
    let underway = underway();
    poll_fn(move |context| UNDERWAY.sync_scope(underway.clone(), || stream.poll_next_unpin(context)))
}

fn begin(parent: Option<TraceParent>, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
    let span = span();
    if let Some(parent) = parent {
        // It fails where nobody collects spans, as in tests.
        let _ = span.set_parent(parent.context());
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_a_trace_is_recorded_is_said_by_who_began_it_as_far_as_they_are_believed() {
        let sampled: TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let unsampled = sampled.unsampled();
        assert!(!is_recorded(Some(&sampled), true), "nobody collects");
        record(0.0);
        assert!(is_recorded(Some(&sampled), true));
        assert!(!is_recorded(Some(&sampled), false), "a stranger costs us nothing");
        assert!(!is_recorded(Some(&unsampled), true));
        assert!(!is_recorded(None, true));
    }

    #[tokio::test]
    async fn a_cause_is_what_the_task_belongs_to_and_survives_its_json() {
        assert!(Cause::now().is_unknown());
        let request = RequestId::parse("r-1");
        let cause = carry(request.clone(), None, false, tracing::Span::none, async { Cause::now() }).await;
        assert_eq!(cause, Cause { request: request.clone(), parent: None });
        let events = carry(request.clone(), None, false, tracing::Span::none, async {
            carry_stream(futures::stream::repeat_with(Cause::now).take(2))
        });
        let later: Vec<Cause> = events.await.collect().await;
        assert_eq!(later, [cause.clone(), cause.clone()]);
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
        let cause = Cause { parent, ..cause };
        let json = serde_json::to_string(&cause).unwrap();
        assert_eq!(serde_json::from_str::<Cause>(&json).unwrap(), cause);
        for (json, request) in [
            (r#"{}"#, None),
            (r#"{"request":"a\nb","parent":"nonsense"}"#, None),
            (r#"{"request":"r-1","parent":"nonsense","later":1}"#, RequestId::parse("r-1")),
        ] {
            assert_eq!(
                serde_json::from_str::<Cause>(json).unwrap(),
                Cause { request, parent: None },
                "{json}"
            );
        }
    }
}
