//! What gateways tell each other of ended sessions: a stream in the Redis that they share, which each reads by itself.
//!
//! It holds names of sessions, by which nobody can be anybody.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cache::{Away, Key, Kind, Library, Remote, Stream};
use common::Timestamp;

use super::{Ending, KEPT, MOST};

const ENDINGS: Library = Library { source: include_str!("endings.lua") };
const TELL: &str = "techpotli_tell_ending";
const STREAM: Kind<Stream> = Kind::new("endings", 1);
/// Read at a time.
const PAGE: usize = 1_000;
/// So much of the stream is read again each time, should the server's clock have gone back in a restart.
const AGAIN: Duration = Duration::from_secs(10);

pub(super) struct Shared {
    remote: Remote,
    /// The millisecond of the newest entry that was read.
    read: Mutex<u64>,
    /// What could not be told yet.
    untold: Mutex<Vec<Ending>>,
}

impl Shared {
    pub(super) fn new(remote: Remote) -> Self {
        Self { remote, read: Mutex::default(), untold: Mutex::default() }
    }

    /// Tells the others, now or as soon as the server is there.
    pub(super) async fn tell(&self, ending: Ending) {
        if self.send(ending).await.is_err() {
            let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            if untold.len() < MOST {
                untold.push(ending);
            }
        }
    }

    /// Passes on what the others have told since the last time: nothing while the server is away. Tells what is left to
    /// tell.
    pub(super) async fn hear(&self, note: impl Fn(&[Ending])) -> Result<(), Away> {
        self.tell_rest().await?;
        let read = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut from = read.saturating_sub(AGAIN.as_millis() as u64).to_string();
        loop {
            let page = self.remote.entries(&self.stream(), &from, PAGE).await?;
            note(&page.iter().filter_map(|entry| ending(&entry.fields)).collect::<Vec<_>>());
            let Some(last) = page.last() else { return Ok(()) };
            *self.read.lock().unwrap_or_else(PoisonError::into_inner) = last.millis;
            if page.len() < PAGE {
                return Ok(());
            }
            from = format!("({}", last.id);
        }
    }

    async fn tell_rest(&self) -> Result<(), Away> {
        loop {
            let next = self.untold.lock().unwrap_or_else(PoisonError::into_inner).last().copied();
            let Some(ending) = next else { return Ok(()) };
            self.send(ending).await?;
            let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            untold.retain(|other| *other != ending);
        }
    }

    async fn send(&self, ending: Ending) -> Result<(), Away> {
        let arguments = [ending.session.to_string(), ending.at.0.to_string(), KEPT.as_millis().to_string()];
        let key = self.stream();
        self.remote.call::<i64>(ENDINGS, TELL, &[key.as_str()], &arguments).await.map(drop)
    }

    fn stream(&self) -> Key<Stream> {
        self.remote.key(&STREAM, "all")
    }
}

/// What an entry says; one that cannot be read was written by another version.
fn ending(fields: &[(String, String)]) -> Option<Ending> {
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    Some(Ending { session: field("session")?.parse().ok()?, at: Timestamp(field("at")?.parse().ok()?) })
}
