//! Sessions in a Redis that gateways share.
//!
//! Each lies sealed under the digest of its cookie, beside the claim of the gateway that renews it: both in one slot of a
//! cluster. What was read a moment ago is not asked for again, so one that another gateway has ended lives on for a few
//! seconds. While the server is away what is known here holds as an access token would: until it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Away, Kind, Library, Remote};
use common::Timestamp;
use quick_cache::sync::Cache;

use super::Session;
use crate::login::LoginError;
use crate::login::cookie::fresh_secret;
use crate::login::ticket::Ticket;

/// A session as it is sealed by [`Ticket::seal`].
const SESSION: Kind<Vec<u8>> = Kind::new("session", 1);
/// Which gateway renews it.
const RENEWAL: Kind<String> = Kind::new("session-renewal", 1);
const SESSIONS: Library = Library { source: include_str!("sessions.lua") };

/// How long what was read counts. Less than the five seconds in which a session that is ended is over everywhere.
const KNOWN: Duration = Duration::from_secs(3);
/// Sessions that are known here.
const MOST: usize = 100_000;
/// Longer than all that a renewal waits for: should the gateway die over it, another one may try then.
const CLAIMED: Duration = Duration::from_secs(30);
/// A renewal that is done at the provider is worth some tries to write down.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

pub(super) struct Shared {
    remote: Remote,
    known: Cache<String, (Instant, Arc<Session>)>,
}

/// The claim of one renewal, by a name of its own.
pub(super) struct Claim(String);

impl Shared {
    pub(super) fn new(remote: Remote) -> Self {
        Self { remote, known: Cache::new(MOST) }
    }

    pub(super) async fn find(&self, ticket: &Ticket) -> Result<Option<Arc<Session>>, LoginError> {
        let known = self.known.get(&ticket.digest);
        match known {
            Some((since, session)) if since.elapsed() < KNOWN => Ok(Some(session)),
            Some((_, session)) => self.newest(ticket).await.or(Ok(Some(session))),
            None => self.newest(ticket).await,
        }
    }

    pub(super) async fn newest(&self, ticket: &Ticket) -> Result<Option<Arc<Session>>, LoginError> {
        let since = Instant::now();
        let sealed = self.remote.get(&self.remote.key(&SESSION, &ticket.digest)).await.map_err(away)?;
        let session = sealed.and_then(|sealed| {
            let session = opened(ticket, &sealed);
            if session.is_none() {
                tracing::warn!("a session in Redis is not as it was written");
            }
            session.map(Arc::new)
        });
        match &session {
            Some(session) => self.known.insert(ticket.digest.clone(), (since, session.clone())),
            None => drop(self.known.remove(&ticket.digest)),
        }
        Ok(session)
    }

    pub(super) async fn begin(
        &self,
        ticket: &Ticket,
        session: Session,
        now: Timestamp,
    ) -> Result<(), LoginError> {
        let sealed = sealed(ticket, &session)?;
        let key = self.remote.key(&SESSION, &ticket.digest);
        self.remote.set(&key, &sealed, session.stays(now)).await.map_err(away)
    }

    pub(super) async fn claim(&self, ticket: &Ticket) -> Result<Option<Claim>, LoginError> {
        let owner = fresh_secret();
        let key = self.remote.key(&RENEWAL, &ticket.digest);
        let is_ours = self.remote.claim(&key, &owner, CLAIMED).await.map_err(away)?;
        Ok(is_ours.then_some(Claim(owner)))
    }

    pub(super) async fn renew(
        &self,
        ticket: &Ticket,
        claim: &Claim,
        session: &Arc<Session>,
        now: Timestamp,
    ) -> Result<bool, LoginError> {
        let sealed = sealed(ticket, session)?;
        let stays = session.stays(now).as_millis().to_string();
        let (place, renewal) = self.keys(ticket);
        let since = Instant::now();
        for _ in 0..TRIES {
            let arguments = [claim.0.as_bytes(), &sealed, stays.as_bytes()];
            let keys = [place.as_str(), renewal.as_str()];
            match self.remote.call::<i64>(SESSIONS, "techpotli_renew_session", &keys, &arguments).await {
                Ok(1) => {
                    self.known.insert(ticket.digest.clone(), (since, session.clone()));
                    return Ok(true);
                }
                Ok(_) => {
                    self.known.remove(&ticket.digest);
                    return Ok(false);
                }
                Err(Away) => tokio::time::sleep(BETWEEN_TRIES).await,
            }
        }
        Err(LoginError::Unavailable)
    }

    pub(super) async fn let_go(&self, ticket: &Ticket, claim: &Claim) {
        let (_, renewal) = self.keys(ticket);
        // A claim that stays ends by itself.
        let _ = self
            .remote
            .call::<i64>(SESSIONS, "techpotli_let_go_session", &[renewal.as_str()], &[claim.0.as_str()])
            .await;
    }

    pub(super) async fn end(&self, ticket: &Ticket) -> Result<Option<Arc<Session>>, LoginError> {
        let session = self.newest(ticket).await?;
        self.remote.remove(&self.remote.key(&SESSION, &ticket.digest)).await.map_err(away)?;
        self.known.remove(&ticket.digest);
        Ok(session)
    }

    fn keys(&self, ticket: &Ticket) -> (String, String) {
        let session = self.remote.key(&SESSION, &ticket.digest);
        let renewal = self.remote.key(&RENEWAL, &ticket.digest);
        (session.as_str().to_owned(), renewal.as_str().to_owned())
    }
}

fn away(Away: Away) -> LoginError {
    LoginError::Unavailable
}

fn sealed(ticket: &Ticket, session: &Session) -> Result<Vec<u8>, LoginError> {
    let json = serde_json::to_vec(session).map_err(|_| LoginError::Unavailable)?;
    ticket.seal(&json).ok_or(LoginError::Unavailable)
}

fn opened(ticket: &Ticket, sealed: &[u8]) -> Option<Session> {
    serde_json::from_slice(&ticket.open(sealed)?).ok()
}
