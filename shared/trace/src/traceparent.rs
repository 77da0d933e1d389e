//! `traceparent`: the place in a trace below which something goes on (W3C Trace Context, section 3.2).

use std::fmt;
use std::str::FromStr;

use http::HeaderName;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};

/// The header with it.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What vendors add to it. Passed on as it is, beside a `traceparent` that holds.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Characters of version 00, which is the one that is written.
const LENGTH: usize = 55;

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: TraceId,
    span: SpanId,
    sampled: bool,
}

/// A text that is no place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl TraceParent {
    /// Whether whoever is above records the trace.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The same place, in a trace that is not recorded any more.
    #[must_use]
    pub fn unsampled(self) -> Self {
        Self { sampled: false, ..self }
    }

    /// The place of a span, where it is recorded.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        let span = context.span();
        let span = span.span_context();
        let sampled = span.is_valid() && span.is_sampled();
        sampled.then(|| Self { trace: span.trace_id(), span: span.span_id(), sampled })
    }

    pub(crate) fn context(self) -> Context {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let span = SpanContext::new(self.trace, self.span, flags, true, TraceState::default());
        Context::new().with_remote_span_context(span)
    }
}

impl FromStr for TraceParent {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let lower_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        // A later version may say more behind what this one says.
        let (known, more) = text.split_at_checked(LENGTH).ok_or(Malformed)?;
        let mut parts = known.split('-');
        let (Some(version), Some(trace), Some(span), Some(flags), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformed);
        };
        let lengths = [(version, 2), (trace, 32), (span, 16), (flags, 2)];
        let well_formed = lengths.iter().all(|(part, length)| part.len() == *length && lower_hex(part));
        let versioned = match version {
            "00" => more.is_empty(),
            "ff" => false,
            _ => more.is_empty() || more.starts_with('-'),
        };
        if !well_formed || !versioned {
            return Err(Malformed);
        }
        let trace = TraceId::from_hex(trace).map_err(|_| Malformed)?;
        let span = SpanId::from_hex(span).map_err(|_| Malformed)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| Malformed)?;
        if trace == TraceId::INVALID || span == SpanId::INVALID {
            return Err(Malformed);
        }
        Ok(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-0{}", self.trace, self.span, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_well_formed_parent_is_read_and_written_as_version_00() {
        for (text, sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!("00-{TRACE}-{SPAN}-00"), false),
            (format!("00-{TRACE}-{SPAN}-03"), true),
            (format!("cc-{TRACE}-{SPAN}-01"), true),
            (format!("cc-{TRACE}-{SPAN}-01-what.the.future.adds"), true),
        ] {
            let parent: TraceParent = text.parse().unwrap();
            assert_eq!(parent.is_sampled(), sampled, "{text}");
            assert_eq!(parent.to_string(), format!("00-{TRACE}-{SPAN}-0{}", u8::from(sampled)), "{text}");
            assert_eq!(parent.unsampled().to_string(), format!("00-{TRACE}-{SPAN}-00"));
        }
    }

    #[test]
    fn whatever_else_is_no_parent() {
        for text in [
            String::new(),
            "00".into(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("cc-{TRACE}-{SPAN}-01more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{TRACE}-{SPAN}-0g"),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{}-{SPAN}-01", "ä".repeat(16)),
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(Malformed), "{text}");
        }
    }
}
