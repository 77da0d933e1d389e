//! Logging in, staying logged in, logging out.

use auth::Viewer;
use common::id::{SessionId, UserId};
use common::{Failure, Fault, Timestamp};
use database::{ScopedFutureExt as _, Tx};
use events::calls::users::{EndedSession, EndedSessions};
use sea_orm::EntityTrait as _;

use super::Accounts;
use crate::domain::email::Email;
use crate::domain::secret::Digest;
use crate::domain::throttle::Tries;
use crate::domain::{Refusal, lifetime, secret};
use crate::entity::{login_throttle, refresh_token, session, user};

/// A log-in as its owner gets it: the only time that the refresh token is known.
pub struct Login {
    pub user: user::Model,
    pub session: SessionId,
    pub access_token: String,
    pub refresh_token: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
}

impl Accounts {
    /// Logs in by mail address and password. An address that nobody has is answered like a wrong password, as slowly,
    /// and its tries are counted too.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<Login, Failure<Refusal>> {
        let email = Email::normalised(email);
        let account = Digest::of(email.as_str());
        let turn = self.passwords.turn().await?;
        let tries = login_throttle::tries(self.ports.database.newest(), &account).await?;
        refuse_if_exhausted(tries, self.ports.clock.now())?;
        let found = user::by_email(self.ports.database.newest(), &email).await?;
        let hash = found.as_ref().and_then(|user| user.password_hash.as_deref());
        let right = turn.verify(password, hash).await?;
        // Tries run beside each other. Only as many as are allowed may learn whether their password was right, so both
        // ways on look at the count again, under its lock.
        match found.filter(|_| right) {
            Some(user) => {
                let database = &self.ports.database;
                database.transaction(|tx| self.begin_session(tx, &account, &user).scope_boxed()).await
            }
            None => {
                let database = &self.ports.database;
                let counted: Result<Refusal, Fault> =
                    database.transaction(|tx| self.count_failure(tx, &account).scope_boxed()).await;
                Err(Failure::Refused(counted?))
            }
        }
    }

    async fn begin_session(
        &self,
        tx: &Tx,
        account: &Digest,
        user: &user::Model,
    ) -> Result<Login, Failure<Refusal>> {
        let now = self.ports.clock.now();
        if let Some(tries) = login_throttle::lock(tx, account).await? {
            refuse_if_exhausted(Some(tries), now)?;
            login_throttle::clear(tx, account).await?;
        }
        let session = session::Model {
            id: self.ports.ids.next(),
            user_id: user.id,
            created_at: now,
            expires_at: lifetime::session_end(now, now),
            revoked_at: None,
        };
        let id = session.id;
        session::Entity::insert(session::ActiveModel::from(session)).exec_without_returning(tx).await?;
        Ok(self.hand_out(tx, user.clone(), id, now).await?)
    }

    async fn count_failure(&self, tx: &Tx, account: &Digest) -> Result<Refusal, Fault> {
        let now = self.ports.clock.now();
        let tries = login_throttle::lock_or_begin(tx, account, now).await?;
        if tries.exhausted(now) {
            return Ok(Refusal::TooManyTries);
        }
        login_throttle::write(tx, account, tries.failed(now)).await?;
        Ok(Refusal::CredentialsWrong)
    }

    /// Exchanges a refresh token for a new pair. A token works once: whoever brings it again, owner or thief, ends the
    /// session for both.
    pub async fn refresh(&self, token: &str) -> Result<Login, Failure<Refusal>> {
        let digest = Digest::of_secret(token).ok_or(Failure::Refused(Refusal::SessionOver))?;
        let exchanged: Result<Option<Login>, Fault> =
            self.ports.database.transaction(|tx| self.exchange(tx, &digest).scope_boxed()).await;
        exchanged?.ok_or(Failure::Refused(Refusal::SessionOver))
    }

    /// `None` when the token is not, or no longer, good. That commits too: a session that ends for reuse stays ended.
    async fn exchange(&self, tx: &Tx, digest: &Digest) -> Result<Option<Login>, Fault> {
        let now = self.ports.clock.now();
        let Some(token) = refresh_token::lock(tx, digest).await? else { return Ok(None) };
        let Some(session) = session::lock(tx, token.session_id).await? else { return Ok(None) };
        if session.revoked_at.is_some() || session.expires_at <= now {
            return Ok(None);
        }
        if token.used_at.is_some() {
            tracing::warn!(session.id = %session.id, "a refresh token was used twice: its session is ended");
            session::revoke(tx, session.user_id, session.id, now).await?;
            return Ok(None);
        }
        let Some(user) = user::by_id(tx, session.user_id).await? else { return Ok(None) };
        refresh_token::mark_used(tx, digest, now).await?;
        session::prolong(tx, session.id, lifetime::session_end(session.created_at, now)).await?;
        self.hand_out(tx, user, session.id, now).await.map(Some)
    }

    async fn hand_out(
        &self,
        tx: &Tx,
        user: user::Model,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Login, Fault> {
        let refresh_token = secret::fresh();
        let row = refresh_token::Model {
            digest: Digest::of(&refresh_token).as_str().to_owned(),
            session_id: session,
            issued_at: now,
            used_at: None,
        };
        refresh_token::Entity::insert(refresh_token::ActiveModel::from(row))
            .exec_without_returning(tx)
            .await?;
        let (access_token, expires_at) = self
            .issuer
            .issue(user.id, session, &user.roles.scopes(), lifetime::ACCESS_TOKEN)
            .map_err(Fault::internal)?;
        Ok(Login { user, session, access_token, refresh_token, expires_at })
    }

    /// Ends the viewer's session, or all of theirs. Its refresh tokens stop at once, its access tokens as soon as the
    /// gateways have asked ([`Accounts::ended_sessions`]).
    pub async fn log_out(&self, viewer: &Viewer, everywhere: bool) -> Result<(), Fault> {
        let user = viewer.require_user()?;
        let session = viewer.session_id().filter(|_| !everywhere);
        self.ports.database.transaction(|tx| self.end_sessions(tx, user, session).scope_boxed()).await
    }

    /// Ends one session of a user.
    pub async fn end_session(&self, user: UserId, session: SessionId) -> Result<(), Fault> {
        self.ports.database.transaction(|tx| self.end_sessions(tx, user, Some(session)).scope_boxed()).await
    }

    /// Which sessions have been ended.
    pub async fn ended_sessions(&self, asked: &EndedSessions) -> Result<Vec<EndedSession>, Fault> {
        session::ended(self.ports.database.newest(), asked.since, asked.after, EndedSessions::MOST).await
    }

    async fn end_sessions(&self, tx: &Tx, user: UserId, session: Option<SessionId>) -> Result<(), Fault> {
        let now = self.ports.clock.now();
        match session {
            Some(session) => session::revoke(tx, user, session, now).await,
            None => session::revoke_all(tx, user, now).await,
        }
    }
}

fn refuse_if_exhausted(tries: Option<Tries>, now: Timestamp) -> Result<(), Failure<Refusal>> {
    match tries {
        Some(tries) if tries.exhausted(now) => Err(Failure::Refused(Refusal::TooManyTries)),
        _ => Ok(()),
    }
}
