//! ID tokens (OpenID Connect Core, section 2) of the issuer that the shop itself is.

use common::Clock;
use common::id::{SessionId, UserId};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha512};

use crate::{SigningKey, TokenError};

const LIFETIME_S: i64 = 5 * 60;
/// Longer texts are no token of ours and are not decoded.
const LONGEST: usize = 4_096;
/// So that no access token passes for one.
const TYPE: &str = "JWT";

/// Signs what the issuer says to its clients.
#[derive(Clone)]
pub struct IdTokenSigner {
    key: jsonwebtoken::EncodingKey,
    own: jsonwebtoken::DecodingKey,
    key_id: String,
    issuer: String,
    clock: Clock,
}

/// What an ID token says that comes back as a hint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hint {
    /// The client that it was made for.
    pub aud: String,
    /// Who.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
}

impl IdTokenSigner {
    /// A signer with this key for this issuer.
    pub fn new(key: &SigningKey, clock: Clock, issuer: &str) -> Self {
        let public = key.verifying();
        Self { key: key.jwt(), own: public.jwt(), key_id: public.id(), issuer: issuer.to_owned(), clock }
    }

    /// An ID token for `client`, with these claims beside those that every one has.
    pub fn id_token(&self, client: &str, mut claims: Value) -> Result<String, TokenError> {
        let now = self.clock.now().seconds();
        claims["iss"] = self.issuer.as_str().into();
        claims["aud"] = client.into();
        claims["azp"] = client.into();
        claims["iat"] = now.into();
        claims["exp"] = (now + LIFETIME_S).into();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| TokenError::Invalid)
    }

    /// What an ID token of ours says, however old it is: a hint is shown at the end of long sessions.
    pub fn read_hint(&self, token: &str) -> Option<Hint> {
        if token.len() > LONGEST {
            return None;
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub"]);
        validation.validate_aud = false;
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<Hint>(token, &self.own, &validation).ok()?;
        let is_id_token = decoded.header.typ.as_deref() == Some(TYPE)
            && decoded.header.kid.as_deref() == Some(self.key_id.as_str());
        is_id_token.then_some(decoded.claims)
    }
}

/// By what an ID token names the access token that it came with: the left half of its SHA-512, since that is the hash of
/// Ed25519 (OpenID Connect Core, section 3.1.3.6).
pub fn access_token_hash(access_token: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha512::digest(access_token.as_bytes())[..32])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::{Ids, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::TokenIssuer;

    fn access_token(key: &SigningKey, clock: Clock) -> String {
        let ids = Ids::counted();
        let issuer = TokenIssuer::new(key, clock);
        issuer.issue(ids.next(), ids.next(), &[], Duration::from_secs(900)).unwrap().0
    }

    #[test]
    fn a_hint_is_an_id_token_of_ours_of_whatever_age() {
        let clock = Clock::manual(Timestamp(1_800_000_000_000_000));
        let key = SigningKey::generate();
        let signer = IdTokenSigner::new(&key, clock.clone(), "https://shop.example/oidc");
        let ids = Ids::counted();
        let (sub, sid) = (ids.next(), ids.next());
        let claims = json!({ "sub": UserId::to_string(&sub), "sid": SessionId::to_string(&sid) });
        let token = signer.id_token("web", claims.clone()).unwrap();
        clock.advance(Duration::from_secs(1_000_000));
        let hint = Hint { aud: "web".into(), sub, sid };
        assert_eq!(signer.read_hint(&token), Some(hint));
        let other = IdTokenSigner::new(&key, clock.clone(), "https://evil.example/oidc");
        let forged = IdTokenSigner::new(&SigningKey::generate(), clock.clone(), "https://shop.example/oidc");
        for bad in [
            other.id_token("web", claims.clone()).unwrap(),
            forged.id_token("web", claims).unwrap(),
            access_token(&key, clock.clone()),
            String::new(),
        ] {
            assert_eq!(signer.read_hint(&bad), None, "{bad}");
        }
    }
}
