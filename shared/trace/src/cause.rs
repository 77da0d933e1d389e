//! Why something is done, in a form that leaves the task and the process.

use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{Carried, REQUEST_ID, RequestId, TRACEPARENT, TraceParent, carry, is_on, underway};

/// The request for which something is done, and where in a trace that is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The request.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write",
        deserialize_with = "read_id"
    )]
    pub request: Option<RequestId>,
    /// The place in a trace, where it is recorded.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write",
        deserialize_with = "read"
    )]
    pub parent: Option<TraceParent>,
}

impl Cause {
    /// Why the task at hand does what it does.
    pub fn now() -> Self {
        let parent = if is_on() { Context::map_current(TraceParent::of) } else { None };
        Self { request: underway().request, parent }
    }

    /// What the headers of a call say. What is not well-formed was not said.
    pub fn of(headers: &HeaderMap) -> Self {
        let request = only(headers, &REQUEST_ID).and_then(RequestId::parse);
        Self { request, parent: only(headers, &TRACEPARENT).and_then(|text| text.parse().ok()) }
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        self.request.is_none() && self.parent.is_none()
    }

    /// Says it in the headers of a call.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        let mut say = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        if let Some(request) = &self.request {
            say(REQUEST_ID, request.text());
        }
        if let Some(parent) = &self.parent {
            say(TRACEPARENT, &parent.to_string());
        }
    }

    /// Runs `work` for it: log lines name the request, and where the trace is recorded, `span` (of the target
    /// [`crate::ROOT`]) is part of it.
    pub fn carry<F: Future>(&self, span: impl FnOnce() -> Span, work: F) -> Carried<F> {
        let recorded = self.parent.as_ref().is_some_and(TraceParent::is_sampled);
        carry(self.request.clone(), self.parent, recorded, span, work)
    }

    /// Where the trace is recorded: a span below this place, and what is below the span.
    pub fn begin(&self, span: impl FnOnce() -> Span) -> Option<(Span, Self)> {
        let parent = self.parent.filter(|parent| is_on() && parent.is_sampled())?;
        let span = crate::begin(Some(parent), span);
        let below = Self { request: self.request.clone(), parent: TraceParent::of(&span.context()) };
        Some((span, below))
    }
}

/// The value of a header that stands there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// What can be said as a text.
trait Said {
    fn said(&self) -> String;
}

impl Said for RequestId {
    fn said(&self) -> String {
        self.text().to_string()
    }
}

impl Said for TraceParent {
    fn said(&self) -> String {
        self.to_string()
    }
}

fn write<T: Said, S: Serializer>(said: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    said.as_ref().map(Said::said).serialize(to)
}

/// What cannot be read must not cost the event that it is about.
fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TraceParent>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.and_then(|text| text.parse().ok()))
}

fn read_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RequestId>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.and_then(|text| RequestId::parse(&text)))
}
