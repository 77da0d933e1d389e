//! Sessions that have ended while tokens of theirs still hold: a signature says nothing about that.
//!
//! It is asked for every request with a session, so all that is known lies in this process and no request waits for
//! another one. Each second two others are heard:
//!
//! - who issues the shop's own tokens ([`Endings`]), and knows which sessions were ended there
//! - the other gateways ([`shared`]), whom the identity provider may have told instead of this one
//!
//! Whichever of them is away: what is known stays refused, and what is not lives as long as its token does.

mod shared;

use std::sync::Arc;
use std::time::Duration;

use cache::{Away, Remote};
use common::id::SessionId;
use common::{Clock, Timestamp};
use futures::future::BoxFuture;
use quick_cache::sync::Cache;
use runtime::Tasks;
use tokio::sync::watch;
use tokio::time::timeout;

use shared::Shared;

/// Longer than any access token lasts: after that nobody can come with one of the session.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Endings that are remembered.
const MOST: usize = 100_000;
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a look may take. With the pause it is less than the five seconds within which an ending holds everywhere.
const PATIENCE: Duration = Duration::from_secs(2);
/// So much is read again each time: an ending is seen when its transaction is over, which may be later than its time.
const AGAIN: Duration = Duration::from_secs(30);
/// Endings are asked for from at most so long ago: more than clocks differ by.
const LOOK_BACK: Duration = Duration::from_secs(10 * 60);

/// A session that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Which.
    pub session: SessionId,
    /// When: tokens that were issued later are not meant.
    pub at: Timestamp,
}

/// It cannot be said which sessions have ended; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EndingsUnavailable(pub String);

/// Knows which sessions have ended before the tokens that were issued for them.
pub trait Endings: Send + Sync {
    /// All that have ended since then. Asked every second by every gateway.
    fn since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<Ending>, EndingsUnavailable>>;
}

/// What one gateway knows of sessions that have ended.
pub(crate) struct Ended {
    known: Cache<SessionId, Timestamp>,
    clock: Clock,
    issuer: Option<Arc<dyn Endings>>,
    shared: Option<Shared>,
    /// Grows with what is known, for those who wait for a session to end.
    news: watch::Sender<u64>,
    /// Whether there was a first look.
    begun: watch::Sender<bool>,
}

impl Ended {
    /// Nothing is known yet.
    pub(crate) fn new(clock: Clock, issuer: Option<Arc<dyn Endings>>, remote: Option<Remote>) -> Arc<Self> {
        let begun = issuer.is_none() && remote.is_none();
        Arc::new(Self {
            known: Cache::new(MOST),
            clock,
            issuer,
            shared: remote.map(Shared::new),
            news: watch::Sender::new(0),
            begun: watch::Sender::new(begun),
        })
    }

    /// Whether a token of this session that was issued then is one of before its end.
    pub(crate) fn contains(&self, session: SessionId, issued: Timestamp) -> bool {
        let kept = self.clock.now().minus(KEPT);
        self.known.get(&session).is_some_and(|at| issued <= at && kept < at)
    }

    /// Waits for the first look: a gateway that has just started knows nothing of endings of before.
    pub(crate) async fn begun(&self) {
        if !*self.begun.borrow() {
            // It lives as long as this does.
            let _ = self.begun.subscribe().wait_for(|begun| *begun).await;
        }
    }

    /// Waits until a token of this session that was issued then is one of before its end.
    pub(crate) async fn until(self: Arc<Self>, session: SessionId, issued: Timestamp) {
        let mut news = self.news.subscribe();
        while !self.contains(session, issued) {
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    /// Notes an ending that this gateway is the first to hear of, and tells the others.
    pub(crate) async fn tell(&self, ending: Ending) {
        self.note(&[ending]);
        if let Some(shared) = &self.shared {
            shared.tell(ending).await;
        }
    }

    fn note(&self, endings: &[Ending]) {
        let mut new = false;
        for ending in endings {
            let known = self.known.get(&ending.session);
            if known.is_none_or(|at| at < ending.at) {
                self.known.insert(ending.session, ending.at);
                new = true;
            }
        }
        if new {
            self.news.send_modify(|count| *count += 1);
        }
    }

    /// Listens, until the process stops.
    pub(crate) fn follow(self: &Arc<Self>, tasks: &Tasks) {
        if *self.begun.borrow() {
            return;
        }
        let (ended, stopping) = (self.clone(), tasks.stopping());
        tasks.spawn("ended sessions", async move {
            tokio::select! {
                () = stopping => {}
                () = ended.listen() => {}
            }
        });
    }

    async fn listen(&self) {
        // The oldest ending that still matters.
        let mut since = self.clock.now().minus(KEPT);
        let mut is_heard = true;
        loop {
            let others = async {
                let Some(shared) = &self.shared else { return Ok(()) };
                let heard = timeout(PATIENCE, shared.hear(|endings| self.note(endings))).await;
                heard.unwrap_or(Err(Away)).map_err(|away| EndingsUnavailable(away.to_string()))
            };
            let issuer = async {
                let heard = timeout(PATIENCE, self.hear_issuer(since)).await;
                heard.unwrap_or_else(|late| Err(EndingsUnavailable(late.to_string())))
            };
            let (newest, others) = tokio::join!(issuer, others);
            if let Ok(newest) = &newest {
                let again = newest.map_or(since, |newest| newest.minus(AGAIN));
                since = since.max(again).max(self.clock.now().minus(LOOK_BACK));
            }
            let silence = newest.err().or(others.err());
            if let Some(reason) = &silence {
                metrics::counter!("gateway_endings_unheard_total").increment(1);
                if is_heard {
                    tracing::warn!(%reason, "sessions that end elsewhere are not heard of for now");
                }
            }
            is_heard = silence.is_none();
            self.begun.send_replace(true);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Hears the issuer out; says when the newest ending was.
    async fn hear_issuer(&self, since: Timestamp) -> Result<Option<Timestamp>, EndingsUnavailable> {
        let Some(issuer) = &self.issuer else { return Ok(None) };
        let endings = issuer.since(since).await?;
        self.note(&endings);
        Ok(endings.iter().map(|ending| ending.at).max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[tokio::test]
    async fn an_ending_holds_for_the_tokens_of_before_and_is_forgotten_with_them() {
        let clock = Clock::manual(Timestamp(1_800_000_000_000_000));
        let ended = Ended::new(clock.clone(), None, None);
        let ids = Ids::counted();
        let (session, other): (SessionId, SessionId) = (ids.next(), ids.next());
        let (at, before) = (clock.now(), clock.now().minus(Duration::from_secs(60)));
        tokio::join!(ended.clone().until(session, before), ended.tell(Ending { session, at }));
        assert!(ended.contains(session, before) && ended.contains(session, at));
        assert!(!ended.contains(session, at.plus(Duration::from_secs(1))), "another log-in of the same name");
        assert!(!ended.contains(other, before));
        // What is heard later does not take back what was known.
        ended.tell(Ending { session, at: before }).await;
        assert!(ended.contains(session, at));
        clock.advance(KEPT);
        assert!(!ended.contains(session, before));
    }
}
