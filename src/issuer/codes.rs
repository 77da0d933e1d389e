//! Codes: what a log-in has granted, sealed, so that every gateway of the shop can open it and nobody else.
//!
//! A code holds the first refresh token of its session, which `users` takes once: whoever brings a code again, or at
//! the same time at another gateway, brings that token again and ends the session (RFC 6749, section 4.1.2).

use std::time::Duration;

use auth::SigningKey;
use common::id::{SessionId, UserId};
use common::{Clock, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

/// How long a code works.
const LIFETIME: Duration = Duration::from_secs(60);
/// Longer texts are no code of ours.
const LONGEST: usize = 4_096;

/// What a code stands for.
#[derive(Serialize, Deserialize)]
pub(super) struct Grant {
    /// Only this client may bring it, and where it was sent to.
    pub(super) client: String,
    pub(super) redirect_uri: String,
    /// Of PKCE, with S256.
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) refresh_token: String,
    pub(super) granted: Timestamp,
}

pub(super) struct Codes {
    key: [u8; 32],
    chance: SystemRandom,
    clock: Clock,
}

impl Codes {
    pub(super) fn new(key: &SigningKey, clock: Clock) -> Self {
        Self { key: key.secret_for("oidc code", b""), chance: SystemRandom::new(), clock }
    }

    /// A code for this; `None` where it would be too long.
    pub(super) fn seal(&self, grant: &Grant) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        self.chance.fill(&mut nonce).ok()?;
        let mut sealed = serde_json::to_vec(grant).ok()?;
        let once = Nonce::assume_unique_for_key(nonce);
        self.key()?.seal_in_place_append_tag(once, Aad::empty(), &mut sealed).ok()?;
        let code = BASE64URL_NOPAD.encode(&[&nonce[..], &sealed].concat());
        (code.len() <= LONGEST).then_some(code)
    }

    /// What a code of ours stands for that is not too old.
    pub(super) fn open(&self, code: &str) -> Option<Grant> {
        if code.len() > LONGEST {
            return None;
        }
        let sealed = BASE64URL_NOPAD.decode(code.as_bytes()).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let once = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key()?.open_in_place(once, Aad::empty(), &mut sealed).ok()?;
        let grant: Grant = serde_json::from_slice(opened).ok()?;
        (self.clock.now() < grant.granted.plus(LIFETIME)).then_some(grant)
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.key).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn a_code_opens_for_a_minute_as_it_was_and_for_the_shop_alone() {
        let clock = Clock::manual(Timestamp(1_800_000_000_000_000));
        let key = SigningKey::generate();
        let (one, other) = (Codes::new(&key, clock.clone()), Codes::new(&key, clock.clone()));
        let ids = Ids::counted();
        let grant = Grant {
            client: "techpotli-mobile".into(),
            redirect_uri: "com.techpotli.app:/callback".into(),
            challenge: "c".repeat(43),
            nonce: Some("n".into()),
            user: ids.next(),
            session: ids.next(),
            refresh_token: "a-refresh-token".into(),
            granted: clock.now(),
        };
        let code = one.seal(&grant).unwrap();
        assert_ne!(one.seal(&grant).unwrap(), code);
        let opened = other.open(&code).expect("another gateway of the same shop");
        assert_eq!(opened.refresh_token, "a-refresh-token");
        assert!(Codes::new(&SigningKey::generate(), clock.clone()).open(&code).is_none());
        let bytes = BASE64URL_NOPAD.decode(code.as_bytes()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"refresh"), "its bearer reads nothing");
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(one.open(&BASE64URL_NOPAD.encode(&changed)).is_none(), "byte {place}");
        }
        for bad in ["", "x", "=", &code[..20]] {
            assert!(one.open(bad).is_none(), "{bad}");
        }
        let long = Grant { nonce: Some("n".repeat(LONGEST)), ..opened };
        assert!(one.seal(&long).is_none());
        clock.advance(LIFETIME);
        assert!(one.open(&code).is_none());
    }
}
