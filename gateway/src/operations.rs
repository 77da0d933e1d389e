//! Numbers about operations, for `/metrics`. Names come from clients, so only so many are told apart.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use engine::FetchObserver;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Operation names that have series of their own; the rest share one.
const DISTINCT: usize = 500;
const OTHERS: &str = "(other)";

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Data and no error.
    Complete,
    /// Executed, with errors in the answer.
    Partial,
    /// Not executed.
    Refused,
}

/// The series of all operations.
#[derive(Default)]
pub(crate) struct Operations {
    known: RwLock<HashMap<Box<str>, Arc<Series>>>,
}

/// The series of one operation. Handles are kept, so that counting costs an atomic addition.
pub(crate) struct Series {
    complete: Counter,
    partial: Counter,
    refused: Counter,
    duration: Histogram,
}

impl Operations {
    /// The series of this operation; an anonymous one has the empty name.
    pub(crate) fn series(&self, name: &str) -> Arc<Series> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(name) {
            return series.clone();
        }
        let name = if known.len() < DISTINCT { name } else { OTHERS };
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.into()).or_insert_with(|| Arc::new(Series::of(name))).clone()
    }
}

impl Series {
    fn of(name: &str) -> Self {
        let requests = |status: &'static str| counter!("gateway_requests_total", "operation" => name.to_owned(), "status" => status);
        Self {
            complete: requests("complete"),
            partial: requests("partial"),
            refused: requests("refused"),
            duration: histogram!("gateway_request_duration_seconds", "operation" => name.to_owned()),
        }
    }

    pub(crate) fn record(&self, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Complete => self.complete.increment(1),
            Outcome::Partial => self.partial.increment(1),
            Outcome::Refused => self.refused.increment(1),
        }
        self.duration.record(took);
    }
}

/// Counts a request that ended before its operation was known.
pub(crate) fn count_rejection(code: &str) {
    counter!("gateway_rejections_total", "code" => code.to_owned()).increment(1);
}

/// Counts whether an operation was prepared before.
pub(crate) fn count_plan(cached: bool) {
    if cached {
        counter!("gateway_plan_cache_total", "outcome" => "hit").increment(1);
    } else {
        counter!("gateway_plan_cache_total", "outcome" => "miss").increment(1);
    }
}

/// Counts the calls of subgraphs; a supergraph names so many and no more.
#[derive(Default)]
pub(crate) struct Fetches {
    known: RwLock<HashMap<Box<str>, Arc<FetchSeries>>>,
}

struct FetchSeries {
    fine: Counter,
    failed: Counter,
    duration: Histogram,
}

impl Fetches {
    fn series(&self, subgraph: &str) -> Arc<FetchSeries> {
        if let Some(series) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(subgraph) {
            return series.clone();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(subgraph.into()).or_insert_with(|| Arc::new(FetchSeries::of(subgraph))).clone()
    }
}

impl FetchObserver for Fetches {
    fn fetched(&self, subgraph: &str, took: Duration, status: u16, errors: usize) {
        let series = self.series(subgraph);
        let is_fine = status == 200 && errors == 0;
        if is_fine { &series.fine } else { &series.failed }.increment(1);
        series.duration.record(took);
    }
}

impl FetchSeries {
    fn of(subgraph: &str) -> Self {
        let fetches = |status: &'static str| counter!("gateway_fetches_total", "subgraph" => subgraph.to_owned(), "status" => status);
        Self {
            fine: fetches("ok"),
            failed: fetches("failed"),
            duration: histogram!("gateway_fetch_duration_seconds", "subgraph" => subgraph.to_owned()),
        }
    }
}

/// One more of something as long as it lives.
pub(crate) struct Live(Gauge);

impl Live {
    pub(crate) fn socket() -> Self {
        Self::one(gauge!("gateway_sockets"))
    }

    pub(crate) fn subscription() -> Self {
        Self::one(gauge!("gateway_subscriptions"))
    }

    fn one(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
