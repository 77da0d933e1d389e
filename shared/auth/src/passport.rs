//! The passport: what the gateway (or a subgraph that calls another) signs for one call to one subgraph. It names the
//! viewer, the subgraph, the body's digest, and ends after 30 seconds.
//!
//! It is signed with HMAC-SHA-256 (RFC 7515, `HS256`) under a secret of each subgraph that follows from the key of the
//! installation: who signs and who verifies hold that key anyway, since subgraphs call each other, and a pair of keys
//! would cost a hundred times as much at each end of each call.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use common::{Clock, Mark};
use data_encoding::HEXLOWER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Caller, SigningKey, Viewer};

const TYPE: &str = "techpotli-passport+jwt";
const LIFETIME_S: i64 = 30;
const SKEW_S: i64 = 5;
const LONGEST: usize = 8_192;

/// What a passport says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Passport {
    /// The subgraph that may accept it.
    pub aud: String,
    /// When it was signed, in seconds since the epoch.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// SHA-256 of the request's body in hex.
    pub digest: String,
    /// On whose behalf.
    pub viewer: Arc<Viewer>,
    /// How far the subgraph's database had come when the viewer last wrote to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// Why a call is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This service is reached through the gateway only.")]
pub struct PassportError;

/// Signs passports. Held by the gateway, and by subgraphs for calls to each other.
#[derive(Clone)]
pub struct PassportSigner {
    key: SigningKey,
    /// By subgraph. Few, and each is made once.
    secrets: Arc<RwLock<HashMap<String, EncodingKey>>>,
    clock: Clock,
}

/// What only holders of the key know, for calls to one subgraph.
fn secret(key: &SigningKey, subgraph: &str) -> [u8; 32] {
    key.secret_for("passport", subgraph.as_bytes())
}

impl PassportSigner {
    /// A signer with this key.
    pub fn new(key: &SigningKey, clock: Clock) -> Self {
        Self { key: key.clone(), secrets: Arc::default(), clock }
    }

    /// The value of the passport header for a call to `subgraph` with `body`.
    pub fn sign(
        &self,
        subgraph: &str,
        body: &[u8],
        caller: impl Into<Caller>,
    ) -> Result<String, PassportError> {
        let Caller { viewer, mark } = caller.into();
        let now = self.clock.now().seconds();
        let passport = Passport {
            aud: subgraph.to_owned(),
            iat: now,
            exp: now + LIFETIME_S,
            digest: HEXLOWER.encode(&Sha256::digest(body)),
            viewer,
            mark,
        };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.into());
        let signed = |secret: &EncodingKey| jsonwebtoken::encode(&header, &passport, secret);
        let known = self.secrets.read().unwrap_or_else(PoisonError::into_inner).get(subgraph).map(signed);
        let passport = known.unwrap_or_else(|| {
            let secret = EncodingKey::from_secret(&secret(&self.key, subgraph));
            let passport = signed(&secret);
            let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
            secrets.insert(subgraph.to_owned(), secret);
            passport
        });
        passport.map_err(|_| PassportError)
    }
}

/// Checks passports at a subgraph's door.
#[derive(Clone)]
pub struct PassportVerifier {
    secret: DecodingKey,
    validation: Validation,
    clock: Clock,
    subgraph: String,
}

impl PassportVerifier {
    /// The door of `subgraph`.
    pub fn new(key: &SigningKey, clock: Clock, subgraph: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[subgraph]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.validate_exp = false;
        let secret = DecodingKey::from_secret(&secret(key, subgraph));
        Self { secret, validation, clock, subgraph: subgraph.to_owned() }
    }

    /// On whose behalf `body` was sent.
    pub fn verify(&self, passport: &str, body: &[u8]) -> Result<Caller, PassportError> {
        if passport.len() > LONGEST {
            return Err(PassportError);
        }
        let token = jsonwebtoken::decode::<Passport>(passport, &self.secret, &self.validation)
            .map_err(|_| PassportError)?;
        let claims = token.claims;
        let now = self.clock.now().seconds();
        let valid = token.header.typ.as_deref() == Some(TYPE)
            && claims.aud == self.subgraph
            && claims.iat <= now + SKEW_S
            && claims.exp > now - SKEW_S
            && claims.exp <= claims.iat + LIFETIME_S
            && claims.digest == HEXLOWER.encode(&Sha256::digest(body));
        if !valid {
            return Err(PassportError);
        }
        Ok(Caller { viewer: claims.viewer, mark: claims.mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Timestamp;
    use std::time::Duration;

    #[test]
    fn a_passport_opens_one_door_for_one_body_for_a_short_while() {
        let clock = Clock::manual(Timestamp(1_800_000_000_000_000));
        let key = SigningKey::generate();
        let signer = PassportSigner::new(&key, clock.clone());
        let door = PassportVerifier::new(&key, clock.clone(), "cart");
        let caller = Caller { mark: "0-7".parse().ok(), ..Viewer::anonymous().into() };
        let passport = signer.sign("cart", b"{}", caller.clone()).unwrap();
        assert_eq!(door.verify(&passport, b"{}"), Ok(caller));
        assert_eq!(door.verify(&passport, b"{ }"), Err(PassportError));
        let other = PassportVerifier::new(&key, clock.clone(), "orders");
        assert_eq!(other.verify(&passport, b"{}"), Err(PassportError));
        clock.advance(Duration::from_secs(36));
        assert_eq!(door.verify(&passport, b"{}"), Err(PassportError));
    }

    #[test]
    fn a_passport_of_another_key_is_refused() {
        let clock = Clock::system();
        let forged = PassportSigner::new(&SigningKey::generate(), clock.clone());
        let door = PassportVerifier::new(&SigningKey::generate(), clock, "cart");
        let passport = forged.sign("cart", b"{}", Viewer::service("orders")).unwrap();
        assert_eq!(door.verify(&passport, b"{}"), Err(PassportError));
        assert_eq!(door.verify("", b"{}"), Err(PassportError));
    }
}
