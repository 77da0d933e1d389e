//! What every signed token of the provider must be, whatever it is for (RFC 8725).

use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{LoginError, Logins};

/// Longer texts are no token of anybody's and are not decoded.
const LONGEST: usize = 16_384;
/// Longer names are no key's.
const LONGEST_KEY_ID: usize = 128;
/// Clocks may differ by so many seconds.
const SKEW_S: i64 = 30;
/// Signatures with a public half. Neither `none` nor the HMACs are among them, which would make the public key a secret.
const ALGORITHMS: [Algorithm; 7] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::RS256,
    Algorithm::RS384,
];

/// One audience, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(super) fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Several(several) => several.iter().any(|one| one == wanted),
        }
    }
}

/// The header, when the token may be looked at at all: signed by a key that is named and not brought along.
pub(super) fn header(token: &str) -> Result<(Header, String), LoginError> {
    if token.len() > LONGEST {
        return Err(LoginError::InvalidToken);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| LoginError::InvalidToken)?;
    let brings_a_key = header.jwk.is_some()
        || header.jku.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.x5t.is_some()
        || header.x5t_s256.is_some();
    let is_odd = header.crit.is_some() || header.enc.is_some() || header.zip.is_some();
    let key_id = header.kid.clone().filter(|id| (1..=LONGEST_KEY_ID).contains(&id.len()));
    match key_id {
        Some(key_id) if !brings_a_key && !is_odd && ALGORITHMS.contains(&header.alg) => Ok((header, key_id)),
        _ => Err(LoginError::InvalidToken),
    }
}

/// The claims of a token that one of the provider's keys has signed and that names the provider and this audience.
/// Times are for the caller, see [`Window`].
pub(super) async fn claims<T: DeserializeOwned>(
    logins: &Logins,
    token: &str,
    audience: &str,
) -> Result<(Header, T), LoginError> {
    let (header, key_id) = header(token)?;
    let key = logins.keys.key(&logins.provider, &key_id, header.alg).await?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[logins.provider.issuer().as_str()]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let decoded =
        jsonwebtoken::decode::<T>(token, &key.decoding, &validation).map_err(|_| LoginError::InvalidToken)?;
    Ok((header, decoded.claims))
}

/// When a token holds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Window {
    pub(super) iat: i64,
    pub(super) nbf: Option<i64>,
    pub(super) exp: i64,
}

impl Window {
    pub(super) fn check(self, now_s: i64) -> Result<(), LoginError> {
        let latest = now_s.saturating_add(SKEW_S);
        if self.iat > latest || self.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(LoginError::InvalidToken);
        }
        if self.exp <= now_s.saturating_sub(SKEW_S) { Err(LoginError::ExpiredToken) } else { Ok(()) }
    }
}
