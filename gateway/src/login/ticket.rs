//! What the secret in a browser's cookie opens: its session, wherever that lies.
//!
//! A store that is shared holds sessions under the secret's digest and sealed with a key that is made of the secret.
//! Whoever reads the store, or a copy of it, has neither cookies nor tokens.

use data_encoding::HEXLOWER;
use rand::RngCore as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

/// Goes before the secret where a key is made of it, so that no digest of it alone is one.
const SEAL: &[u8] = b"techpotli session seal 1\0";

pub(super) struct Ticket {
    /// By what the session is found.
    pub(super) digest: String,
    seal: [u8; 32],
}

impl Ticket {
    /// Of the secret in a cookie. It has 256 random bits, so a plain hash of it cannot be guessed.
    pub(super) fn of(secret: &str) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(secret.as_bytes()));
        let seal = Sha256::new().chain_update(SEAL).chain_update(secret).finalize();
        Self { digest, seal: seal.into() }
    }

    /// Seals what only this ticket opens again; `None` where the text is too long.
    pub(super) fn seal(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let mut sealed = text.to_vec();
        let place = Aad::from(self.digest.as_bytes());
        self.key()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Opens what this ticket has sealed.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let place = Aad::from(self.digest.as_bytes());
        let opened =
            self.key()?.open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut sealed).ok()?;
        Some(opened.to_vec())
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.seal).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_its_own_ticket_and_only_as_it_was() {
        let (ticket, other) = (Ticket::of("one"), Ticket::of("other"));
        let sealed = ticket.seal(b"a refresh token").unwrap();
        assert_ne!(sealed, ticket.seal(b"a refresh token").unwrap());
        assert!(!sealed.windows(7).any(|part| part == b"refresh"));
        assert_eq!(Ticket::of("one").open(&sealed).as_deref(), Some(&b"a refresh token"[..]));
        assert_eq!(other.open(&sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(ticket.open(&changed), None, "byte {place}");
        }
        assert_eq!(ticket.open(&sealed[..5]), None);
    }
}
