//! What all gateways count together: one call of a Redis function decides about everything that a request is charged.
//!
//! The function is GCRA (generic cell rate algorithm) on the server's own clock: for each key it keeps the time at which
//! the key's account will be even again, admits the request if that time, moved on by what the request is charged, lies
//! no further ahead than the whole quota, and writes either all keys or none.

use std::time::{Duration, Instant};

use cache::{Away, FromRedisValue, Kind, Library, Remote};
use quick_cache::sync::Cache;

use super::{Charge, Subject};

/// Subjects whose refusal is remembered.
const REMEMBERED: usize = 100_000;

const LIMITS: Library = Library { source: include_str!("limits.lua") };
/// An account: the microsecond of the server's clock at which it is even.
const ACCOUNT: Kind<i64> = Kind::new("limit", 1);
const ADMIT: &str = "techpotli_admit";
const GIVE_BACK: &str = "techpotli_give_back";

/// A count that several gateways share.
#[derive(Debug)]
pub(super) struct Shared {
    remote: Remote,
    /// Who was refused, and until when: those are not asked about again.
    refused: Cache<Subject, Instant>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Charged; what remains of each quota.
    Admitted(Vec<u32>),
    /// Nothing was charged, because of the charge at this place; when it would be admitted.
    Refused(usize, Duration),
}

impl Shared {
    pub(super) fn new(remote: Remote) -> Self {
        Self { remote, refused: Cache::new(REMEMBERED) }
    }

    /// How long the subject is refused for yet, as far as this gateway remembers.
    pub(super) fn wait_of(&self, subject: Subject) -> Option<Duration> {
        let until = self.refused.get(&subject)?;
        let left = until.checked_duration_since(Instant::now());
        if left.is_none() {
            self.refused.remove(&subject);
        }
        left
    }

    /// Charges all or nothing.
    pub(super) async fn admit(&self, charges: &[Charge<'_>]) -> Result<Verdict, Away> {
        let verdict = match self.remote.has_slots() {
            false => self.ask(charges).await?,
            true => self.ask_by_slot(charges).await?,
        };
        if let Verdict::Refused(place, wait) = verdict
            && charges[place].policy.is_for_all
        {
            self.refused.insert(charges[place].subject, Instant::now() + wait);
        }
        Ok(verdict)
    }

    /// In a cluster each subject has a slot, and a call stays within one. Where one slot refuses, what others have
    /// charged is given back.
    async fn ask_by_slot(&self, charges: &[Charge<'_>]) -> Result<Verdict, Away> {
        let Some(first) = charges.first() else { return Ok(Verdict::Admitted(Vec::new())) };
        let (near, far): (Vec<_>, Vec<_>) =
            charges.iter().cloned().partition(|charge| charge.subject == first.subject);
        let (own, others) = tokio::join!(self.ask(&near), self.ask(&far));
        let place_of = |charge: &Charge<'_>| charges.iter().position(|one| one == charge).unwrap_or(0);
        match (own, others) {
            (Ok(Verdict::Admitted(own)), Ok(Verdict::Admitted(others))) => {
                let (mut own, mut others) = (own.into_iter(), others.into_iter());
                let remaining = charges.iter().map(|charge| {
                    let side = if charge.subject == first.subject { &mut own } else { &mut others };
                    side.next().unwrap_or(0)
                });
                Ok(Verdict::Admitted(remaining.collect()))
            }
            (Ok(Verdict::Refused(place, wait)), others) => {
                if matches!(others, Ok(Verdict::Admitted(_))) {
                    self.give_back(&far).await;
                }
                Ok(Verdict::Refused(place_of(&near[place]), wait))
            }
            (own, Ok(Verdict::Refused(place, wait))) => {
                if own.is_ok() {
                    self.give_back(&near).await;
                }
                Ok(Verdict::Refused(place_of(&far[place]), wait))
            }
            (own, others) => {
                // One half of the cluster is away: what the other half has charged stays charged, which errs on the
                // side of fewer requests.
                own.and(others)
            }
        }
    }

    async fn ask(&self, charges: &[Charge<'_>]) -> Result<Verdict, Away> {
        if charges.is_empty() {
            return Ok(Verdict::Admitted(Vec::new()));
        }
        let answer: Vec<i64> = self.call(ADMIT, charges).await?;
        let [refused, wait_us, remaining @ ..] = &answer[..] else { return Err(Away) };
        match usize::try_from(*refused) {
            Ok(0) => {
                let remaining = remaining.iter().map(|left| u32::try_from(*left).unwrap_or(0));
                Ok(Verdict::Admitted(remaining.collect()))
            }
            Ok(place) if place <= charges.len() => {
                let wait = Duration::from_micros(u64::try_from(*wait_us).unwrap_or(0));
                Ok(Verdict::Refused(place - 1, wait))
            }
            _ => Err(Away),
        }
    }

    /// Gives back what was charged, never beyond the whole quota.
    pub(super) async fn give_back(&self, charges: &[Charge<'_>]) {
        if charges.is_empty() {
            return;
        }
        // Lost, it would have been charged too much: a little too strict for one window.
        let _ = self.call::<i64>(GIVE_BACK, charges).await;
    }

    async fn call<T: FromRedisValue>(&self, function: &str, charges: &[Charge<'_>]) -> Result<T, Away> {
        let keys: Vec<String> = charges.iter().map(|charge| self.account(charge)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.remote.call(LIMITS, function, &keys, arguments(charges)).await
    }

    /// Accounts of one subject lie in one slot, whatever the policy.
    fn account(&self, charge: &Charge<'_>) -> String {
        let name = match charge.subject {
            Subject::Address(address) => format!("a:{address:x}"),
            Subject::User(user) => format!("u:{user}"),
        };
        format!("{}:{}", self.remote.key(&ACCOUNT, &name).as_str(), charge.policy.name)
    }
}

/// For each account the microseconds that one unit takes, the quota, and what is charged.
fn arguments(charges: &[Charge<'_>]) -> Vec<i64> {
    let arguments = charges.iter().flat_map(|charge| {
        let rate = charge.policy.rate;
        let each = (rate.window / rate.requests.max(1)).as_micros().max(1);
        [i64::try_from(each).unwrap_or(i64::MAX), rate.requests.into(), charge.amount.into()]
    });
    arguments.collect()
}
