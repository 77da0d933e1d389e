//! Who is logged in by cookie. Tokens lie here and never in a browser.
//!
//! Sessions are found by what is in a browser's cookie ([`Ticket`]): in this process, or in a Redis that gateways share.
//! The provider takes a refresh token once and ends the session of whoever brings it again, so whoever renews a session
//! has claimed it: before the others of this process, and before other gateways.

mod memory;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use auth::Viewer;
use cache::Remote;
use common::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::MutexGuard;

use super::LoginError;
use super::ticket::Ticket;
use memory::{Memory, Turns};
use shared::{Claim, Shared};

/// How long a session stays that nobody uses, after the end of its last access token.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// Somebody who is logged in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    /// Who, in the default shop context.
    pub(super) viewer: Viewer,
    /// Who and which session, in the provider's words.
    pub(super) subject: String,
    pub(super) sid: Option<String>,
    /// When the access token was issued and when it ends that the viewer was read from.
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) refresh_token: Option<String>,
    /// Shown to the provider when the session is ended.
    pub(super) id_token: String,
}

/// Where sessions lie.
pub(super) struct Sessions {
    place: Place,
    turns: Turns,
}

enum Place {
    /// In this process.
    Memory(Memory),
    /// In a Redis.
    Shared(Shared),
}

/// The right to renew a session, until it is dropped or used.
pub(super) struct Turn<'a> {
    claim: Option<Claim>,
    _turn: MutexGuard<'a, ()>,
}

impl Sessions {
    pub(super) fn memory() -> Self {
        Self { place: Place::Memory(Memory::default()), turns: Turns::default() }
    }

    pub(super) fn shared(remote: Remote) -> Self {
        Self { place: Place::Shared(Shared::new(remote)), turns: Turns::default() }
    }

    /// The session of this ticket; a few seconds old at most.
    pub(super) async fn find(&self, ticket: &Ticket) -> Result<Option<Arc<Session>>, LoginError> {
        match &self.place {
            Place::Memory(memory) => Ok(memory.find(&ticket.digest)),
            Place::Shared(shared) => shared.find(ticket).await,
        }
    }

    /// The session of this ticket, as it is now.
    pub(super) async fn newest(&self, ticket: &Ticket) -> Result<Option<Arc<Session>>, LoginError> {
        match &self.place {
            Place::Memory(memory) => Ok(memory.find(&ticket.digest)),
            Place::Shared(shared) => shared.newest(ticket).await,
        }
    }

    /// Begins a session.
    pub(super) async fn begin(
        &self,
        ticket: &Ticket,
        session: Session,
        now: Timestamp,
    ) -> Result<(), LoginError> {
        match &self.place {
            Place::Memory(memory) => memory.begin(&ticket.digest, session, now),
            Place::Shared(shared) => shared.begin(ticket, session, now).await,
        }
    }

    /// Waits until nobody else of this process renews this session, and claims that before other gateways; `None` where
    /// one of them is at it.
    pub(super) async fn turn(&self, ticket: &Ticket) -> Result<Option<Turn<'_>>, LoginError> {
        let turn = self.turns.wait(&ticket.digest).await;
        let claim = match &self.place {
            Place::Memory(_) => None,
            Place::Shared(shared) => match shared.claim(ticket).await? {
                None => return Ok(None),
                claim => claim,
            },
        };
        Ok(Some(Turn { claim, _turn: turn }))
    }

    /// Puts what a refresh has brought in the place of what was there; says false where the session has ended meanwhile.
    pub(super) async fn renew(
        &self,
        ticket: &Ticket,
        turn: Turn<'_>,
        session: &Arc<Session>,
        now: Timestamp,
    ) -> Result<bool, LoginError> {
        match (&self.place, &turn.claim) {
            (Place::Shared(shared), Some(claim)) => shared.renew(ticket, claim, session, now).await,
            (Place::Memory(memory), _) => Ok(memory.renew(&ticket.digest, session)),
            (Place::Shared(_), None) => Err(LoginError::Unavailable),
        }
    }

    /// Gives the turn back, with the session as it was.
    pub(super) async fn let_go(&self, ticket: &Ticket, turn: Turn<'_>) {
        if let (Place::Shared(shared), Some(claim)) = (&self.place, &turn.claim) {
            shared.let_go(ticket, claim).await;
        }
    }

    /// Ends a session, and returns it.
    pub(super) async fn end(&self, ticket: &Ticket) -> Result<Option<Arc<Session>>, LoginError> {
        match &self.place {
            Place::Memory(memory) => Ok(memory.end(&ticket.digest)),
            Place::Shared(shared) => shared.end(ticket).await,
        }
    }
}

impl Session {
    /// Whether nobody has used it for long.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        now > self.expires.plus(IDLE)
    }

    /// How long it stays from now on, if nobody uses it.
    fn stays(&self, now: Timestamp) -> Duration {
        let left = self.expires.plus(IDLE).0.saturating_sub(now.0);
        Duration::from_micros(u64::try_from(left).unwrap_or(0))
    }
}
