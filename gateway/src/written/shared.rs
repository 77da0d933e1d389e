//! What gateways tell each other of writes, in the Redis that they share: a viewer's marks under one key, for as long as
//! a replica may not know them.
//!
//! That nothing is told of a viewer counts only where it would have been told. It does not for a while after Redis was
//! lost, when it may have lost what it was told, nor after this process began, which does not know when that was: then
//! it is in doubt what a viewer has written, and the primaries answer.
//!
//! Where no subgraph has a replica nobody ever tells anything, and no request asks: each gateway looks a few times a
//! second whether there are marks at all, and that there were none holds for [`LEASE`]. The first mark that there ever is
//! waits for so long before its client is answered.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cache::{Away, Key, Kind, Library};
use common::Marks;
use tokio::sync::OnceCell;

use super::Who;
use crate::config::SharedWrites;

const LIBRARY: Library = Library { source: include_str!("marks.lua") };
const TELL: &str = "techpotli_tell_written";
const BEGIN: &str = "techpotli_begin_written";
const MARKS: Kind<String> = Kind::new("written", 1);
/// Since which millisecond of the server's clock there are marks.
const BEGUN: Kind<i64> = Kind::new("written-begun", 1);
/// Kept up by those who have told of marks: without replicas nobody does, and requests stop asking.
const BEGUN_STAYS: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(400);
/// How long it holds that there were no marks.
const LEASE: Duration = Duration::from_secs(1);
/// Until all have noticed that Redis is back.
const RETURN: Duration = Duration::from_secs(5);
/// A connection that was closed meanwhile is opened again by the second try.
const TRIES: usize = 2;

pub(super) struct Shared {
    remotes: SharedWrites,
    lasts: Duration,
    /// When this process began.
    since: Instant,
    /// When there were no marks of anybody.
    unused: Mutex<Option<Instant>>,
    /// Whether this gateway has said that there are.
    begun: OnceCell<()>,
}

/// What others know of a viewer.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) marks: Marks,
    /// There may be more.
    pub(super) in_doubt: bool,
}

impl Shared {
    pub(super) fn new(remotes: SharedWrites, lasts: Duration) -> Self {
        Self { remotes, lasts, since: Instant::now(), unused: Mutex::default(), begun: OnceCell::new() }
    }

    /// What the viewer has written, by what all gateways have told.
    pub(super) async fn hear(&self, who: Who) -> Heard {
        let told = match self.is_unused() {
            true => Ok(None),
            false => self.remotes.ask.get(&self.marks(who)).await,
        };
        let marks = match told {
            Ok(None) => Some(Marks::default()),
            Ok(Some(text)) => text.parse().ok(),
            Err(Away) => None,
        };
        let in_doubt = marks.is_none() || self.is_in_doubt();
        if in_doubt {
            metrics::counter!("gateway_written_in_doubt_total").increment(1);
        }
        Heard { marks: marks.unwrap_or_default(), in_doubt }
    }

    /// Tells the others. What cannot be told they will be in doubt about, as long as it is away for them as well.
    pub(super) async fn tell(&self, who: Who, marks: &Marks) {
        for _ in 0..TRIES {
            if self.try_to_tell(who, marks).await.is_ok() {
                return;
            }
        }
        metrics::counter!("gateway_written_untold_total").increment(1);
    }

    async fn try_to_tell(&self, who: Who, marks: &Marks) -> Result<(), Away> {
        self.begun
            .get_or_try_init(|| async {
                let said_for = self.begin().await?;
                tokio::time::sleep(LEASE.saturating_sub(said_for)).await;
                Ok(())
            })
            .await?;
        let arguments = [marks.to_string(), (self.lasts + LEASE).as_millis().to_string()];
        let key = self.marks(who);
        self.remotes.tell.call::<i64>(LIBRARY, TELL, &[key.as_str()], &arguments).await.map(drop)
    }

    /// Says that there are marks; for how long that has been said.
    async fn begin(&self) -> Result<Duration, Away> {
        let key = self.key_of_begun();
        let stays = BEGUN_STAYS.as_millis() as u64;
        let said_for = self.remotes.tell.call::<u64>(LIBRARY, BEGIN, &[key.as_str()], stays).await?;
        Ok(Duration::from_millis(said_for))
    }

    /// Looks whether there are marks, and keeps up that there are, for ever.
    pub(super) async fn watch(&self) {
        loop {
            tokio::join!(self.look(), async {
                if self.begun.initialized() {
                    // What fails is done again in a moment.
                    let _ = self.begin().await;
                }
            });
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(&self) {
        let asked = Instant::now();
        // While nothing is heard, what was known before runs out.
        if let Ok(begun) = self.remotes.ask.get(&self.key_of_begun()).await {
            let unused = begun.is_none().then_some(asked);
            *self.unused.lock().unwrap_or_else(PoisonError::into_inner) = unused;
        }
    }

    fn is_unused(&self) -> bool {
        let unused = *self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        unused.is_some_and(|asked| asked.elapsed() < LEASE)
    }

    fn is_in_doubt(&self) -> bool {
        let since = self.remotes.ask.lost().unwrap_or(self.since).max(self.since);
        since.elapsed() < self.lasts + RETURN
    }

    fn marks(&self, who: Who) -> Key<String> {
        let name = match who {
            Who::User(user) => format!("u:{user}"),
            Who::Address(address) => format!("a:{address}"),
        };
        self.remotes.ask.key(&MARKS, &name)
    }

    fn key_of_begun(&self) -> Key<i64> {
        self.remotes.ask.key(&BEGUN, "all")
    }
}
