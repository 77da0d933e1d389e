//! How often somebody may ask, and for how much.
//!
//! First comes the shield: this process counts by address before anything else is done, and by user once it is known who
//! asks. Once the operation is known, everything that it is charged is decided at once: by all gateways together where
//! they share a Redis ([`shared`]), else here. When that Redis is away, each gateway lets through its share.
//!
//! An operation is charged its cost as it is estimated before it is asked, and given back what its answer had less.

mod account;
mod shared;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use self::account::Accounts;
use self::shared::{Shared, Verdict};
use crate::config::{Rate, RateLimits};
use crate::rejection::{Code, Rejection};
use axum::http::{HeaderName, HeaderValue};
use common::id::UserId;
use engine::Operation;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit");

/// The limiter of one gateway process.
#[derive(Debug)]
pub(crate) struct Limiter {
    address: Policy,
    user: Policy,
    cost: Option<Policy>,
    /// By the name of a field at the top of an operation.
    fields: Vec<(Box<str>, Policy)>,
    shared: Option<Shared>,
}

/// Who is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// An address; see [`address_key`].
    Address(u128),
    /// A user, wherever from.
    User(UserId),
}

#[derive(Debug)]
struct Policy {
    name: Arc<str>,
    rate: Rate,
    /// Whether every request is charged by it.
    is_for_all: bool,
    here: Accounts,
    /// Counts what this gateway lets through while the shared count is away: its share of the quota.
    share: Option<Accounts>,
}

/// One thing that a request is charged.
#[derive(Debug, Clone)]
struct Charge<'a> {
    policy: &'a Policy,
    subject: Subject,
    amount: u32,
}

impl PartialEq for Charge<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && Arc::ptr_eq(&self.policy.name, &other.policy.name)
    }
}

/// Where something was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Here,
    /// In this gateway's share.
    Share,
    Together,
}

/// What an operation was charged for its cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    subject: Subject,
    amount: u32,
    counted: Counted,
}

/// An operation that may be asked.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    /// `None` where nothing of it is counted beyond the shield.
    pub(crate) allowance: Option<Allowance>,
    /// Where costs are counted.
    pub(crate) cost: Option<Cost>,
}

/// What remains to a client after this request; goes into the answer's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    policy: Arc<str>,
    rate: Rate,
    remaining: u32,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let replicas = limits.shared.is_some().then_some(limits.replicas);
        let policy = |name: &str, rate, is_for_all| Policy::new(name, rate, is_for_all, replicas);
        Self {
            address: policy("address", limits.per_address, true),
            user: policy("user", limits.per_user, true),
            cost: limits.cost.map(|rate| policy("cost", rate, false)),
            fields: limits
                .per_field
                .iter()
                .map(|(field, rate)| (field.as_str().into(), policy(field, *rate, false)))
                .collect(),
            shared: limits.shared.map(Shared::new),
        }
    }

    /// Counts a request from this address: the shield.
    pub(crate) fn count_address(&self, address: IpAddr) -> Result<Allowance, Rejection> {
        self.count(&self.address, Subject::Address(address_key(address)))
    }

    /// Counts a request of this user: the shield.
    pub(crate) fn count_user(&self, user: UserId) -> Result<Allowance, Rejection> {
        self.count(&self.user, Subject::User(user))
    }

    fn count(&self, policy: &Policy, subject: Subject) -> Result<Allowance, Rejection> {
        if let Some(wait) = self.shared.as_ref().and_then(|shared| shared.wait_of(subject)) {
            return Err(policy.refusal(wait));
        }
        policy.charge(&policy.here, subject, 1)
    }

    /// Decides about all that an operation of this cost is charged.
    pub(crate) async fn decide(
        &self,
        user: Option<UserId>,
        address: Option<IpAddr>,
        operation: &Operation,
        cost: u64,
    ) -> Result<Admitted, Rejection> {
        let address = address.map(|address| Subject::Address(address_key(address)));
        let user = user.map(Subject::User);
        let Some(subject) = user.or(address) else { return Ok(Admitted::default()) };
        let mut charges = Vec::new();
        let amount = u32::try_from(cost).unwrap_or(u32::MAX).max(1);
        if let Some(cost_policy) = &self.cost {
            charges.push(Charge { policy: cost_policy, subject, amount });
        }
        for (field, policy) in &self.fields {
            let times = times(operation, field);
            if times > 0 {
                charges.push(Charge { policy, subject, amount: times });
            }
        }
        if let Some(charge) = charges.iter().find(|charge| charge.amount > charge.policy.rate.requests) {
            return Err(charge.policy.never(charge.amount));
        }
        let (allowance, counted) = self.settle(charges, user, address).await?;
        let cost = self.cost.as_ref().map(|_| Cost { subject, amount, counted });
        Ok(Admitted { allowance, cost })
    }

    /// Gives back what this process counts of a cost that came to no more than `used`. What is counted together is left
    /// over, for [`Limiter::give_back_together`].
    pub(crate) fn give_back(&self, cost: Cost, used: u64) -> Option<Cost> {
        let policy = self.cost.as_ref()?;
        // An operation is worth one at least.
        let used = u32::try_from(used).unwrap_or(u32::MAX).max(1);
        let unused = Cost { amount: cost.amount.checked_sub(used).filter(|amount| *amount > 0)?, ..cost };
        match cost.counted {
            Counted::Together => return Some(unused),
            Counted::Here => policy.here.give_back(cost.subject, unused.amount),
            Counted::Share => policy.share().give_back(cost.subject, unused.amount),
        }
        None
    }

    /// Gives back in Redis what was not used. Should it be away, that is lost.
    pub(crate) async fn give_back_together(&self, unused: Cost) {
        let Some((shared, policy)) = self.shared.as_ref().zip(self.cost.as_ref()) else { return };
        let Cost { subject, amount, .. } = unused;
        shared.give_back(&[Charge { policy, subject, amount }]).await;
    }

    /// Decides about something outside of any operation that an address is charged for like this field.
    pub(crate) async fn decide_like(&self, field: &str, address: IpAddr) -> Result<(), Rejection> {
        let subject = Subject::Address(address_key(address));
        let Some((_, policy)) = self.fields.iter().find(|(name, _)| **name == *field) else { return Ok(()) };
        self.settle(vec![Charge { policy, subject, amount: 1 }], None, Some(subject)).await.map(drop)
    }

    async fn settle<'p>(
        &'p self,
        mut charges: Vec<Charge<'p>>,
        user: Option<Subject>,
        address: Option<Subject>,
    ) -> Result<(Option<Allowance>, Counted), Rejection> {
        let Some(shared) = &self.shared else {
            let allowance = self.charge_all(&charges, |policy| &policy.here)?;
            return Ok((allowance, Counted::Here));
        };
        charges.extend(user.map(|user| Charge { policy: &self.user, subject: user, amount: 1 }));
        charges.extend(address.map(|address| Charge { policy: &self.address, subject: address, amount: 1 }));
        match shared.admit(&charges).await {
            Ok(Verdict::Admitted(remaining)) => {
                let left = charges.iter().zip(remaining);
                let allowances = left.map(|(charge, left)| charge.policy.allowance(left));
                Ok((allowances.min_by_key(Allowance::remaining), Counted::Together))
            }
            Ok(Verdict::Refused(place, wait)) => Err(charges[place].policy.refusal(wait)),
            Err(cache::Away) => {
                metrics::counter!("gateway_shared_limits_away_total").increment(1);
                Ok((self.charge_all(&charges, Policy::share)?, Counted::Share))
            }
        }
    }

    /// Charges one after the other; what was charged before a refusal stays charged.
    fn charge_all<'p>(
        &self,
        charges: &[Charge<'p>],
        account: impl Fn(&'p Policy) -> &'p Accounts,
    ) -> Result<Option<Allowance>, Rejection> {
        let mut tightest: Option<Allowance> = None;
        for charge in charges {
            let left = charge.policy.charge(account(charge.policy), charge.subject, charge.amount)?;
            tightest = Some(left.tighter(tightest));
        }
        Ok(tightest)
    }

    /// Forgets those who have been quiet long enough. To be called now and then.
    pub(crate) fn tidy(&self) {
        let fields = self.fields.iter().map(|(_, policy)| policy);
        for policy in [&self.address, &self.user].into_iter().chain(&self.cost).chain(fields) {
            for account in [Some(&policy.here), policy.share.as_ref()].into_iter().flatten() {
                account.tidy();
            }
        }
    }
}

impl Policy {
    fn new(name: &str, rate: Rate, is_for_all: bool, replicas: Option<NonZeroU32>) -> Self {
        let share = |replicas: NonZeroU32| {
            Accounts::new(Rate { requests: (rate.requests / replicas).max(1), ..rate })
        };
        Self { name: name.into(), rate, is_for_all, here: Accounts::new(rate), share: replicas.map(share) }
    }

    fn share(&self) -> &Accounts {
        self.share.as_ref().unwrap_or(&self.here)
    }

    fn charge(&self, account: &Accounts, subject: Subject, amount: u32) -> Result<Allowance, Rejection> {
        // More than this gateway's share of the quota: not before the shared count is back.
        let refused = |wait: Option<Duration>| self.refusal(wait.unwrap_or(self.rate.window));
        account.charge(subject, amount).map(|left| self.allowance(left)).map_err(refused)
    }

    fn allowance(&self, remaining: u32) -> Allowance {
        Allowance { policy: Arc::clone(&self.name), rate: self.rate, remaining }
    }

    fn refusal(&self, wait: Duration) -> Rejection {
        let mut rejection = Rejection::throttled("Too many requests. Come back later.", wait);
        rejection.headers.extend(self.allowance(0).headers());
        rejection
    }

    /// Waiting would not help.
    fn never(&self, amount: u32) -> Rejection {
        let Self { name, rate, .. } = self;
        let quota = rate.requests;
        Rejection::request_coded(
            Code::CostExceeded,
            format!(
                "The operation counts {amount} times for the limit '{name}', which never admits more than {quota}."
            ),
        )
    }
}

/// How often a field stands at the top of the operation, under whatever aliases.
fn times(operation: &Operation, field: &str) -> u32 {
    let document = operation.document();
    let Ok(definition) = document.operations.get(operation.name()) else { return 0 };
    let times = definition.root_fields(document).filter(|one| one.name == field).count();
    u32::try_from(times).unwrap_or(u32::MAX)
}

impl Allowance {
    fn remaining(&self) -> u32 {
        self.remaining
    }

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
        Limiter::new(RateLimits { per_address: rate, per_user: rate, ..RateLimits::default() })
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
