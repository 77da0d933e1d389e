//! Spans of traces, sent to a collector over OTLP by gRPC.
//!
//! They are sent in batches, by a thread of their own, from a queue that is bounded: whatever happens to the collector,
//! nobody waits for it. What it does not take is counted and lost, and the log tells of it once.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{SpanExporter as Sender, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

/// How long spans wait for others to be sent with.
const GATHERING: Duration = Duration::from_secs(1);
/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The collector, such as `http://127.0.0.1:4317`.
    pub url: String,
    /// The share of traces that is recorded, from 0 to 1.
    pub ratio: f64,
    /// What this process is called in a trace.
    pub service: String,
}

/// The spans of this process that are not sent yet.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Sends what is left, for at most some seconds. Not to be called by a task.
    pub fn end(self) {
        if let Some(provider) = self.0 {
            // Whoever collects them is told of nothing any more; that they are lost was said where it was noticed.
            let _ = provider.shutdown_with_timeout(PATIENCE);
        }
    }
}

/// Takes spans to the collector.
pub(super) fn layer<S>(collector: &Collector) -> Result<(impl Layer<S> + use<S>, Traces), String>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let sender = Sender::builder().with_tonic().with_endpoint(&collector.url).with_timeout(PATIENCE);
    let sender = sender.build().map_err(|error| format!("traces cannot be sent: {error}"))?;
    let batches = BatchConfigBuilder::default().with_scheduled_delay(GATHERING).build();
    let sending = Sending { sender, fails: AtomicBool::new(false) };
    let resource = Resource::builder_empty()
        .with_attributes([
            opentelemetry::KeyValue::new("service.name", collector.service.clone()),
            opentelemetry::KeyValue::new("service.namespace", "techpotli"),
            opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(sending).with_batch_config(batches).build())
        // Where a trace is not recorded no span is made: whether it is, was decided before.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource)
        .build();
    global::set_tracer_provider(provider.clone());
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("techpotli"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    Ok((spans.with_filter(Recorded), Traces(Some(provider))))
}

/// Lets spans through that are meant for traces, where a trace is recorded.
struct Recorded;

impl<S> Filter<S> for Recorded {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        match metadata.target() {
            trace::ROOT => metadata.is_span(),
            trace::TARGET => {
                metadata.is_span() && opentelemetry::Context::map_current(|context| context.has_active_span())
            }
            _ => false,
        }
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.target() {
            trace::ROOT if metadata.is_span() => Interest::always(),
            trace::TARGET if metadata.is_span() => Interest::sometimes(),
            _ => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

/// Sends batches, and tells once when they are not taken any more.
struct Sending {
    sender: Sender,
    fails: AtomicBool,
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sending")
    }
}

impl SpanExporter for Sending {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let sent = self.sender.export(batch).await;
        let failed = self.fails.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Ok(()) => {
                metrics::counter!("techpotli_spans_sent_total").increment(count);
                if failed {
                    tracing::info!("the collector of traces takes them again");
                }
            }
            Err(error) => {
                metrics::counter!("techpotli_spans_lost_total").increment(count);
                if !failed {
                    tracing::warn!(%error, "the collector of traces does not take them: they are lost until it does");
                }
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.sender.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.sender.set_resource(resource);
    }
}
