//! How often somebody may ask: GCRA per address before anything else is done, and per user once it is known who asks.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use common::id::UserId;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::config::{Rate, RateLimits};
use crate::rejection::Rejection;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit");

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// The limiter of one gateway process.
#[derive(Debug)]
pub(crate) struct Limiter {
    addresses: Policy<u128>,
    users: Policy<UserId>,
}

#[derive(Debug)]
struct Policy<K: std::hash::Hash + Eq + Clone> {
    name: &'static str,
    rate: Rate,
    limiter: Keyed<K>,
}

/// What remains to a client after this request; goes into the answer's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    policy: &'static str,
    rate: Rate,
    remaining: u32,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            addresses: Policy::new("address", limits.per_address),
            users: Policy::new("user", limits.per_user),
        }
    }

    /// Counts a request from this address.
    pub(crate) fn count_address(&self, address: IpAddr) -> Result<Allowance, Rejection> {
        self.addresses.check(&address_key(address))
    }

    /// Counts a request of this user.
    pub(crate) fn count_user(&self, user: UserId) -> Result<Allowance, Rejection> {
        self.users.check(&user)
    }

    /// Forgets those who have been quiet long enough. To be called now and then.
    pub(crate) fn tidy(&self) {
        self.addresses.limiter.retain_recent();
        self.addresses.limiter.shrink_to_fit();
        self.users.limiter.retain_recent();
        self.users.limiter.shrink_to_fit();
    }
}

impl<K: std::hash::Hash + Eq + Clone> Policy<K> {
    fn new(name: &'static str, rate: Rate) -> Self {
        let requests = NonZeroU32::new(rate.requests).unwrap_or(NonZeroU32::MIN);
        let each = (rate.window / requests.get()).max(Duration::from_nanos(1));
        // `with_period` refuses only an empty period.
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(requests)).allow_burst(requests);
        Self { name, rate, limiter: RateLimiter::keyed(quota).with_middleware() }
    }

    fn check(&self, key: &K) -> Result<Allowance, Rejection> {
        let allowance = |remaining| Allowance { policy: self.name, rate: self.rate, remaining };
        match self.limiter.check_key(key) {
            Ok(state) => Ok(allowance(state.remaining_burst_capacity())),
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                let mut rejection = Rejection::throttled("Too many requests. Come back later.", wait);
                rejection.headers.extend(allowance(0).headers());
                Err(rejection)
            }
        }
    }
}

impl Allowance {
    /// The one that will be used up first.
    pub(crate) fn tighter(self, other: Option<Allowance>) -> Allowance {
        match other {
            Some(other) if other.remaining < self.remaining => other,
            _ => self,
        }
    }

    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        let Self { policy, rate, remaining } = self;
        let window_s = rate.window.as_secs().max(1);
        // Until the whole quota is there again.
        let used = u64::from(rate.requests.saturating_sub(*remaining));
        let reset_s = (used * window_s).div_ceil(u64::from(rate.requests.max(1)));
        let quota = rate.requests;
        let policy_text = format!("\"{policy}\";q={quota};w={window_s}");
        let remaining_text = format!("\"{policy}\";r={remaining};t={reset_s}");
        [(POLICY, policy_text), (REMAINING, remaining_text)]
            .into_iter()
            .filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?)))
    }
}

/// An IPv6 address counts by its /64, which one subscriber has to themselves.
fn address_key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;
    use common::Ids;

    fn limiter(requests: u32) -> Limiter {
        let rate = Rate { requests, window: Duration::from_secs(3_600) };
        Limiter::new(RateLimits { per_address: rate, per_user: rate })
    }

    fn from(limiter: &Limiter, address: &str) -> bool {
        limiter.count_address(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn an_address_has_its_quota_and_no_more() {
        let limiter = limiter(3);
        assert_eq!([0; 5].map(|_| from(&limiter, "203.0.113.1")), [true, true, true, false, false]);
        assert!(from(&limiter, "203.0.113.2"));
    }

    #[test]
    fn ipv6_addresses_of_one_subscriber_share_a_quota() {
        let limiter = limiter(2);
        assert!(from(&limiter, "2001:db8:1:2::1"));
        assert!(from(&limiter, "2001:db8:1:2:ffff::9"));
        assert!(!from(&limiter, "2001:db8:1:2:3::3"));
        assert!(from(&limiter, "2001:db8:1:3::1"));
    }

    #[test]
    fn mapped_addresses_are_no_way_around() {
        let limiter = limiter(1);
        assert!(from(&limiter, "203.0.113.1"));
        assert!(!from(&limiter, "::ffff:203.0.113.1"));
    }

    #[test]
    fn a_user_has_one_quota_wherever_from_and_is_told_when_to_come_back() {
        let limiter = limiter(2);
        let user: UserId = Ids::counted().next();
        let allowance = limiter.count_user(user).unwrap();
        let headers: HeaderMap = allowance.headers().collect();
        assert_eq!(headers[POLICY], "\"user\";q=2;w=3600");
        assert_eq!(headers[REMAINING], "\"user\";r=1;t=1800");
        limiter.count_user(user).unwrap();
        let refused = limiter.count_user(user).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"));
        let headers: HeaderMap = refused.headers.into_iter().collect();
        let retry: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=1_800).contains(&retry), "{retry}");
        assert_eq!(headers[REMAINING], "\"user\";r=0;t=3600");
    }
}
