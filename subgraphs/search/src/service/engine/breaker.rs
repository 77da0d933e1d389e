//! A breaker: after a few failures in a row nobody waits any more, until somebody in the background finds that it works.

use std::sync::atomic::{AtomicU32, Ordering};

/// Failures in a row after which nobody asks.
const MOST_FAILURES: u32 = 3;

/// Closed at first.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: AtomicU32,
}

impl Breaker {
    /// Whether asking is worth it.
    pub fn is_closed(&self) -> bool {
        self.failures.load(Ordering::Relaxed) < MOST_FAILURES
    }

    /// An answer came.
    pub fn succeeded(&self) {
        // Most of the time it is zero already: looking is cheaper than writing what others read.
        if self.failures.load(Ordering::Relaxed) > 0
            && self.failures.swap(0, Ordering::Relaxed) >= MOST_FAILURES
        {
            tracing::info!("the search engine answers again");
        }
    }

    /// None came.
    pub fn failed(&self) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 == MOST_FAILURES {
            tracing::warn!("the search engine does not answer: searches go to the database");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_three_failures_in_a_row_and_closes_with_one_success() {
        let breaker = Breaker::default();
        breaker.failed();
        breaker.failed();
        breaker.succeeded();
        breaker.failed();
        breaker.failed();
        assert!(breaker.is_closed());
        breaker.failed();
        assert!(!breaker.is_closed());
        breaker.succeeded();
        assert!(breaker.is_closed());
    }
}
