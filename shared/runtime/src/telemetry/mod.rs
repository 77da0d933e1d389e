//! What a process says of itself: logs, for people or as JSON lines; spans of traces, sent to a collector; and the
//! recorder behind `/metrics`.

mod logs;
mod traces;

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use logs::LogFormat;
pub use traces::{Collector, Traces};

/// Begins to write logs to standard error and, where there is a collector, to send it spans. `filter` is in the syntax
/// of `tracing_subscriber::EnvFilter`, such as `info,orders=debug`. Does nothing when logs are written already (in
/// tests). A collector needs a runtime around the call, and need not be there yet.
pub fn begin(format: LogFormat, filter: &str, collector: Option<&Collector>) -> Result<Traces, String> {
    let logs = logs::layer(format, filter)?;
    let Some(collector) = collector else {
        // An error means that somebody else has begun before; theirs go on.
        let _ = Registry::default().with(logs).try_init();
        return Ok(Traces::none());
    };
    let (spans, traces) = traces::layer(collector)?;
    let _ = Registry::default().with(logs).with(spans).try_init();
    trace::record(collector.ratio);
    Ok(traces)
}

/// Upper bounds of the buckets of histograms, which all are of seconds.
const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the metrics recorder once per process and returns the handle that renders `/metrics`.
pub fn metrics() -> PrometheusHandle {
    METRICS
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            // Refused only when there are none.
            let builder = builder.set_buckets(&SECONDS).unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            // Where another recorder is installed already (in tests), that one counts and this one stays empty.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}
