//! Secrets that are handed out once and recognised by their digest.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};

/// Bytes of chance in a secret.
const BYTES: usize = 32;
/// Longer texts are no secret of ours.
const LONGEST: usize = 64;

/// The SHA-256 of something, in hex. That is enough for secrets made here: nobody guesses 256 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest of `text`.
    pub fn of(text: &str) -> Self {
        Self(HEXLOWER.encode(&Sha256::digest(text.as_bytes())))
    }

    /// The digest of a secret that somebody brings, unless it is too long to be one.
    pub fn of_secret(secret: &str) -> Option<Self> {
        (secret.len() <= LONGEST).then(|| Self::of(secret))
    }

    /// 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A new secret: 256 random bits as URL-safe text.
pub fn fresh() -> String {
    let mut bytes = [0u8; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_recognised_by_digest() {
        let (one, other) = (fresh(), fresh());
        assert_ne!(one, other);
        assert_eq!(Digest::of_secret(&one), Some(Digest::of(&one)));
        assert_ne!(Digest::of_secret(&one), Digest::of_secret(&other));
        assert_eq!(Digest::of_secret(&"x".repeat(65)), None);
    }
}
