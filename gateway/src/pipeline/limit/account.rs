//! The accounts of one policy in this process: governor's, and what is given back to them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DefaultKeyedStateStore, ShrinkableKeyedStateStore};
use governor::{Quota, RateLimiter};

use super::Subject;
use crate::config::Rate;

#[derive(Debug)]
pub(super) struct Accounts {
    limiter: RateLimiter<Subject, Store, DefaultClock, StateInformationMiddleware>,
    store: Store,
    /// What one unit takes to come back.
    each: Duration,
}

/// Governor's own, at hand for giving back, which governor does not know.
#[derive(Debug, Clone, Default)]
struct Store(Arc<DefaultKeyedStateStore<Subject>>);

impl Accounts {
    pub(super) fn new(rate: Rate) -> Self {
        let requests = NonZeroU32::new(rate.requests).unwrap_or(NonZeroU32::MIN);
        let each = (rate.window / requests.get()).max(Duration::from_nanos(1));
        // `with_period` refuses only an empty period.
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(requests)).allow_burst(requests);
        let store = Store::default();
        let limiter = RateLimiter::new(quota, store.clone(), DefaultClock::default());
        Self { limiter, store, each }
    }

    /// What remains; or how long to wait, which is for ever where it is more than the whole quota.
    pub(super) fn charge(&self, subject: Subject, amount: u32) -> Result<u32, Option<Duration>> {
        let amount = NonZeroU32::new(amount).unwrap_or(NonZeroU32::MIN);
        match self.limiter.check_key_n(&subject, amount) {
            Ok(Ok(state)) => Ok(state.remaining_burst_capacity()),
            Ok(Err(refused)) => Err(Some(refused.wait_time_from(DefaultClock::default().now()))),
            Err(_) => Err(None),
        }
    }

    /// Moves the time at which the account is even back. One that is even has its whole quota, and no more however far
    /// back that was.
    pub(super) fn give_back(&self, subject: Subject, amount: u32) {
        let back = Nanos::from(self.each.saturating_mul(amount));
        let moved = self.store.measure_and_replace(&subject, |even| match even {
            Some(even) => Ok(((), even.saturating_sub(back))),
            None => Err(()),
        });
        // Whoever has no account has their whole quota.
        moved.unwrap_or_default();
    }

    /// Forgets those who have been quiet long enough.
    pub(super) fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

impl StateStore for Store {
    type Key = Subject;

    fn measure_and_replace<T, F, E>(&self, key: &Subject, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, decide)
    }
}

impl ShrinkableKeyedStateStore<Subject> for Store {
    fn retain_recent(&self, drop_below: Nanos) {
        ShrinkableKeyedStateStore::retain_recent(&*self.0, drop_below);
    }

    fn shrink_to_fit(&self) {
        ShrinkableKeyedStateStore::shrink_to_fit(&*self.0);
    }

    fn len(&self) -> usize {
        ShrinkableKeyedStateStore::len(&*self.0)
    }

    fn is_empty(&self) -> bool {
        ShrinkableKeyedStateStore::is_empty(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_spent_again_and_never_makes_more_than_the_quota() {
        let subject = Subject::Address(1);
        let accounts = Accounts::new(Rate { requests: 100, window: Duration::from_secs(360_000) });
        accounts.give_back(subject, 50);
        assert_eq!(accounts.charge(subject, 60), Ok(40));
        assert!(accounts.charge(subject, 60).is_err());
        accounts.give_back(subject, 58);
        assert_eq!(accounts.charge(subject, 60), Ok(38));
        accounts.give_back(subject, 1_000);
        assert_eq!(accounts.charge(subject, 100), Ok(0));
        assert!(accounts.charge(subject, 1).is_err());
        assert_eq!(accounts.charge(subject, 101), Err(None));
    }
}
