//! Access tokens of the provider (RFC 9068, and what Keycloak makes of it).

use common::Timestamp;
use serde::Deserialize;

use super::token::{self, Audience, Window};
use super::{LoginError, Logins, Subject};

/// What a token says. A claim that is there twice, or of another type, makes it none.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    iat: i64,
    nbf: Option<i64>,
    exp: i64,
    /// The client that the token was made for, in Keycloak's words and in those of RFC 9068.
    azp: Option<String>,
    client_id: Option<String>,
    sid: Option<String>,
    /// Keycloak's name for the kind of token.
    typ: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    locale: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// A token that holds.
pub(super) struct Verified {
    pub(super) subject: Subject,
    /// The provider's session.
    pub(super) sid: Option<String>,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
}

/// What a token says, if it is one of the provider's access tokens for this API, made for a client that is known.
pub(super) async fn verify(logins: &Logins, text: &str) -> Result<Verified, LoginError> {
    let config = &logins.config;
    let (header, claims): (_, Claims) = token::claims(logins, text, &config.audience).await?;
    let is_ours = claims.iss == logins.provider.issuer().as_str() && claims.aud.names(&config.audience);
    if !is_ours || !is_access_token(header.typ.as_deref(), claims.typ.as_deref()) {
        return Err(LoginError::InvalidToken);
    }
    let is_known = |client: &String| *client == config.client_id || config.bearer_clients.contains(client);
    let clients = [&claims.azp, &claims.client_id];
    let named = clients.iter().any(|client| client.is_some());
    if claims.sub.is_empty() || !named || !clients.into_iter().flatten().all(is_known) {
        return Err(LoginError::InvalidToken);
    }
    Window { iat: claims.iat, nbf: claims.nbf, exp: claims.exp }.check(logins.clock.now().seconds())?;
    let subject = Subject {
        issuer: logins.provider.issuer().as_str().into(),
        subject: claims.sub,
        email: claims.email,
        email_verified: claims.email_verified,
        locale: claims.locale,
        roles: claims.roles,
    };
    let at = |seconds: i64| Timestamp(seconds.saturating_mul(1_000_000));
    Ok(Verified { subject, sid: claims.sid, issued: at(claims.iat), expires: at(claims.exp) })
}

/// An ID token or a logout token is signed by the same keys and must not pass for an access token.
fn is_access_token(header: Option<&str>, claim: Option<&str>) -> bool {
    let header = header.map(str::to_ascii_lowercase);
    match header.as_deref().map(|typ| typ.trim_start_matches("application/")) {
        Some("at+jwt") => claim.is_none_or(|claim| claim == "Bearer"),
        Some("jwt") | None => claim == Some("Bearer"),
        Some(_) => false,
    }
}
