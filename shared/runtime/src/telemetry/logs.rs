//! Log lines, each with the request and the trace that it belongs to.
//!
//! They are read from the task (`trace::underway`) when a line is written. So a request costs the log nothing until it
//! has something to say, and lines have them at the top, where those who collect logs look.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{self, FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer as lines};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people, coloured where they look at them.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            other => Err(format!("'{other}' is no log format: use pretty or json")),
        }
    }
}

type LogLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Writes to standard error what `filter` lets through.
pub(super) fn layer(format: LogFormat, filter: &str) -> Result<LogLayer, String> {
    let spans = format!("{}=off", trace::TARGET);
    let filter = EnvFilter::try_new(filter)
        .and_then(|filter| Ok(filter.add_directive(spans.parse()?)))
        .map_err(|error| format!("'{filter}' is no log filter: {error}"))?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = lines().with_writer(std::io::stderr);
    Ok(match format {
        LogFormat::Pretty => {
            let line = format::format().with_target(false).with_ansi(colours);
            lines.with_ansi(colours).event_format(Belonging { line, end: "" }).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            let line = format::format().json().flatten_event(true);
            let lines = lines.fmt_fields(JsonFields::new());
            lines.event_format(Belonging { line, end: "}" }).with_filter(filter).boxed()
        }
    })
}

/// A format of lines, and behind each what it belongs to.
struct Belonging<F> {
    line: F,
    /// What a line ends with: a brace, or nothing.
    end: &'static str,
}

impl<S, N, F> FormatEvent<S, N> for Belonging<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.line.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end_matches('\n');
        writer.write_str(line.strip_suffix(self.end).unwrap_or(line))?;
        // Neither an id of a request nor that of a trace has a character that JSON would escape.
        let underway = trace::underway();
        if let Some(request) = &underway.request {
            self.name(&mut writer, "request.id", request.text())?;
        }
        if let Some(trace) = &underway.trace {
            self.name(&mut writer, "trace.id", trace)?;
        }
        writeln!(writer, "{}", self.end)
    }
}

impl<F> Belonging<F> {
    fn name(&self, writer: &mut Writer<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
        match self.end {
            "" => write!(writer, " {name}={value}"),
            _ => write!(writer, ",\"{name}\":\"{value}\""),
        }
    }
}
