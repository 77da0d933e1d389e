//! How often a password may be guessed.

use std::time::Duration;

use common::Timestamp;

/// Failed tries before an account is closed for the rest of the window.
pub const MOST_FAILURES: i32 = 10;
/// How long failed tries are remembered.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Failed tries since a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// How many failed.
    pub failures: i32,
    /// Since when.
    pub since: Timestamp,
}

impl Tries {
    /// Whether no password is looked at now, right or wrong.
    pub fn exhausted(self, now: Timestamp) -> bool {
        self.failures >= MOST_FAILURES && !self.over(now)
    }

    /// The count after one more failure.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        if self.over(now) {
            return Self { failures: 1, since: now };
        }
        Self { failures: self.failures.saturating_add(1), since: self.since }
    }

    fn over(self, now: Timestamp) -> bool {
        now >= self.since.plus(WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_close_an_account_until_the_window_is_over() {
        let start = Timestamp(0);
        let mut tries = Tries { failures: 0, since: start };
        for _ in 0..MOST_FAILURES {
            assert!(!tries.exhausted(start));
            tries = tries.failed(start);
        }
        assert!(tries.exhausted(start));
        assert!(tries.exhausted(start.plus(WINDOW).minus(Duration::from_micros(1))));
        assert!(!tries.exhausted(start.plus(WINDOW)));
        let later = start.plus(WINDOW);
        assert_eq!(tries.failed(later), Tries { failures: 1, since: later });
    }
}
