//! Access tokens of the embedded issuer: JWTs of type `at+jwt` (RFC 9068), signed with EdDSA.

use std::time::Duration;

use common::id::{SessionId, UserId};
use common::{Clock, Timestamp};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{Actor, ShopContext, SigningKey, VerifyingKey, Viewer};

/// Who issues and who accepts.
const ISSUER: &str = "techpotli";
const AUDIENCE: &str = "techpotli-api";
const TYPE: &str = "at+jwt";
/// Longer texts are no token of ours and are not decoded.
const LONGEST: usize = 4_096;
/// Clocks may differ by so many seconds.
const SKEW_S: i64 = 30;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
    scope: String,
}

/// Signs access tokens. Held by `users` alone.
#[derive(Clone)]
pub struct TokenIssuer {
    key: jsonwebtoken::EncodingKey,
    key_id: String,
    clock: Clock,
}

impl TokenIssuer {
    /// An issuer with this key.
    pub fn new(key: &SigningKey, clock: Clock) -> Self {
        Self { key: key.jwt(), key_id: key.verifying().id(), clock }
    }

    /// A token for a login, and when it ends.
    pub fn issue(
        &self,
        user: UserId,
        session: SessionId,
        scopes: &[String],
        lifetime: Duration,
    ) -> Result<(String, Timestamp), TokenError> {
        let now = self.clock.now();
        let expires = now.plus(lifetime);
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user,
            sid: session,
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: expires.seconds(),
            scope: scopes.join(" "),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(self.key_id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| TokenError::Invalid)?;
        Ok((token, expires))
    }
}

/// Why a token is not accepted. Says no more than its bearer may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours, or not meant for us.
    #[error("The access token is not valid.")]
    Invalid,
    /// It was valid once.
    #[error("The access token has expired.")]
    Expired,
}

/// Accepts access tokens. Held by the gateway.
#[derive(Clone)]
pub struct TokenVerifier {
    key: jsonwebtoken::DecodingKey,
    key_id: String,
    clock: Clock,
    validation: Validation,
}

impl TokenVerifier {
    /// A verifier of what the owner of `key` signs.
    pub fn new(key: &VerifyingKey, clock: Clock) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Times are checked below, against the clock that was handed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { key: key.jwt(), key_id: key.id(), clock, validation }
    }

    /// The viewer that a token stands for, in the given shop context, and when the token ends.
    pub fn verify(&self, token: &str, context: ShopContext) -> Result<(Viewer, Timestamp), TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(TYPE)
            && header.kid.as_deref() == Some(self.key_id.as_str())
            && header.jwk.is_none()
            && header.jku.is_none()
            && header.x5u.is_none();
        if !ours {
            return Err(TokenError::Invalid);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let now = self.clock.now().seconds();
        if claims.nbf > now + SKEW_S || claims.iat > now + SKEW_S {
            return Err(TokenError::Invalid);
        }
        if claims.exp <= now - SKEW_S {
            return Err(TokenError::Expired);
        }
        let scopes = claims.scope.split_whitespace().map(str::to_owned).collect();
        let actor = Actor::User { id: claims.sub, session: claims.sid };
        Ok((Viewer { actor, scopes, context }, Timestamp(claims.exp.saturating_mul(1_000_000))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    fn setup() -> (TokenIssuer, TokenVerifier, Clock, SigningKey) {
        let clock = Clock::manual(Timestamp(1_800_000_000_000_000));
        let key = SigningKey::generate();
        (
            TokenIssuer::new(&key, clock.clone()),
            TokenVerifier::new(&key.verifying(), clock.clone()),
            clock,
            key,
        )
    }

    fn token(issuer: &TokenIssuer) -> String {
        let ids = Ids::counted();
        issuer.issue(ids.next(), ids.next(), &["orders:read".into()], Duration::from_secs(900)).unwrap().0
    }

    #[test]
    fn a_token_stands_for_its_user_and_scopes() {
        let (issuer, verifier, ..) = setup();
        let (viewer, _) = verifier.verify(&token(&issuer), ShopContext::default()).unwrap();
        assert!(viewer.user_id().is_some());
        assert!(viewer.has_scope("orders:read"));
    }

    #[test]
    fn a_token_ends() {
        let (issuer, verifier, clock, _) = setup();
        let token = token(&issuer);
        clock.advance(Duration::from_secs(931));
        assert_eq!(verifier.verify(&token, ShopContext::default()).unwrap_err(), TokenError::Expired);
    }

    #[test]
    fn a_token_that_anything_was_done_to_is_refused() {
        let (issuer, verifier, ..) = setup();
        let good = token(&issuer);
        let (head, rest) = good.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"at+jwt"}"#);
        let other = token(&setup().0);
        for bad in [
            String::new(),
            "a.b.c".into(),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{head}.{body}."),
            format!("{head}.{body}.{}", "A".repeat(86)),
            format!("{head}.{}.{signature}", data_encoding::BASE64URL_NOPAD.encode(b"{}")),
            other,
            format!("{good}{}", "A".repeat(LONGEST)),
        ] {
            assert_eq!(
                verifier.verify(&bad, ShopContext::default()).unwrap_err(),
                TokenError::Invalid,
                "{bad}"
            );
        }
    }
}
