//! SQL statements as spans.

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};

use crate::is_on;

/// Characters of a statement that are kept.
const LONGEST: usize = 2_000;

static TRACER: LazyLock<BoxedTracer> = LazyLock::new(|| global::tracer("techpotli"));

/// Notes a statement that has just ended as part of the trace under way, where that is recorded. The text has
/// placeholders; what was put into them is not told.
pub fn statement(system: &'static str, text: &str, took: Duration, failed: bool) {
    if !is_on() {
        return;
    }
    let context = Context::current();
    if !context.span().span_context().is_sampled() {
        return;
    }
    let now = opentelemetry::time::now();
    let shortened = text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end]);
    let attributes =
        vec![KeyValue::new("db.system.name", system), KeyValue::new("db.query.text", shortened.to_owned())];
    let name = text.split_whitespace().next().unwrap_or("sql").to_owned();
    let builder = SpanBuilder::from_name(name)
        .with_kind(SpanKind::Client)
        .with_start_time(now - took)
        .with_attributes(attributes);
    let mut span = TRACER.build_with_context(builder, &context);
    if failed {
        span.set_status(Status::error("the statement failed"));
    }
    span.end_with_timestamp(now);
}
