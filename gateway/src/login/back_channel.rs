//! The provider says that a session has ended (OpenID Connect Back-Channel Logout 1.0).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::token::{self, Audience, Window};
use super::{LoginError, Logins, session_id};

/// The name of the event (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token says.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: Option<String>,
    sid: Option<String>,
    iat: i64,
    nbf: Option<i64>,
    exp: i64,
    jti: String,
    events: Map<String, Value>,
    /// Forbidden, so that no ID token passes for a logout token (section 2.4).
    nonce: Option<Value>,
}

impl Logins {
    /// Ends what the provider says has ended: the session, or all sessions of a subject.
    pub(crate) async fn hear_logout(&self, text: &str) -> Result<(), LoginError> {
        let (header, claims): (_, Claims) = token::claims(self, text, &self.config.client_id).await?;
        let kind = header.typ.as_deref().map(str::to_ascii_lowercase);
        let is_logout =
            matches!(kind.as_deref(), None | Some("jwt" | "logout+jwt" | "application/logout+jwt"))
                && claims.events.get(EVENT).is_some_and(Value::is_object)
                && claims.nonce.is_none()
                && !claims.jti.is_empty()
                && claims.iss == self.provider.issuer().as_str()
                && claims.aud.names(&self.config.client_id)
                && (claims.sub.is_some() || claims.sid.is_some());
        if !is_logout {
            return Err(LoginError::InvalidToken);
        }
        Window { iat: claims.iat, nbf: claims.nbf, exp: claims.exp }.check(self.clock.now().seconds())?;
        let (subject, sid) = (claims.sub.as_deref(), claims.sid.as_deref());
        let ended = self
            .sessions
            .end_where(|session| {
                let is_subject = subject.is_none_or(|subject| session.subject == subject);
                is_subject && sid.is_none_or(|sid| session.sid.as_deref() == Some(sid))
            })
            .await;
        // Whoever has an access token of the session, such as a second client of it, is out too.
        let issuer = self.provider.issuer().as_str();
        if let Some(session) = sid.or(subject) {
            self.ended.note(session_id(issuer, session));
        }
        tracing::debug!(ended, "the identity provider has ended sessions");
        Ok(())
    }
}
