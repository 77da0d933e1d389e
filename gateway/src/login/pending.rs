//! A log-in under way. It lies in a cookie of the browser that began it, so whichever gateway the browser comes back to
//! can end it, and nobody else's browser can.

use std::time::Duration;

use common::{Clock, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::cookie::fresh_secret;
use super::{LoginError, Logins};

/// How long somebody may take to log in.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Longer texts are no cookie of ours.
const LONGEST: usize = 4_096;

/// What must be remembered between sending a browser away and taking it back.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    state: String,
    pub(super) nonce: String,
    /// The PKCE verifier (RFC 7636).
    pub(super) verifier: String,
    /// A path of this site.
    pub(super) return_to: String,
    began_s: i64,
}

impl Pending {
    pub(super) fn begin(return_to: String, clock: &Clock) -> Self {
        let began_s = clock.now().seconds();
        Self { state: fresh_secret(), nonce: fresh_secret(), verifier: fresh_secret(), return_to, began_s }
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn to_cookie(&self) -> Result<String, LoginError> {
        let json = serde_json::to_vec(self).map_err(|_| LoginError::Unavailable)?;
        Ok(BASE64URL_NOPAD.encode(&json))
    }

    /// The log-in that this browser began under this state.
    pub(super) fn resume(logins: &Logins, cookie: Option<&str>, state: &str) -> Result<Self, LoginError> {
        let cookie = cookie.filter(|text| text.len() <= LONGEST).ok_or(LoginError::NotBegun)?;
        let json = BASE64URL_NOPAD.decode(cookie.as_bytes()).map_err(|_| LoginError::NotBegun)?;
        let pending: Self = serde_json::from_slice(&json).map_err(|_| LoginError::NotBegun)?;
        let is_same: bool = pending.state.as_bytes().ct_eq(state.as_bytes()).into();
        let began = Timestamp(pending.began_s.saturating_mul(1_000_000));
        if !is_same || pending.state.is_empty() || logins.clock.now() > began.plus(PATIENCE) {
            return Err(LoginError::NotBegun);
        }
        Ok(pending)
    }
}
