//! The provider says that a session has ended (OpenID Connect Back-Channel Logout 1.0).

use common::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::token::{self, Audience, Window};
use super::{LoginError, Logins};
use crate::ended::Ending;

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
                && claims.aud.names(&self.config.client_id);
        if !is_logout {
            return Err(LoginError::InvalidToken);
        }
        Window { iat: claims.iat, nbf: claims.nbf, exp: claims.exp }.check(self.clock.now().seconds())?;
        // Their cookies and their access tokens are refused from now on, also those of a second client.
        let ended = match (&claims.sid, &claims.sub) {
            (Some(sid), _) => self.session_of(sid),
            (None, Some(subject)) => self.session_of(subject),
            (None, None) => return Err(LoginError::InvalidToken),
        };
        let at = Timestamp(claims.iat.saturating_mul(1_000_000));
        self.ended.tell(Ending { session: ended, at }).await;
        tracing::debug!(session.id = %ended, "the identity provider has ended a session");
        Ok(())
    }
}
