//! Ed25519 keys in PKCS #8 PEM files (RFC 8410), made on the first start.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
};
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};

/// Signs. Its `Debug` shows the public half alone.
#[derive(Clone)]
pub struct SigningKey(pub(crate) ed25519_dalek::SigningKey);

/// Verifies what the signing key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(pub(crate) ed25519_dalek::VerifyingKey);

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key file {path} cannot be used: {source}")]
    File {
        /// Which file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file holds no Ed25519 key.
    #[error("the file {0} holds no Ed25519 key in PEM form")]
    Content(String),
}

impl SigningKey {
    /// A new random key.
    pub fn generate() -> Self {
        let mut secret = [0u8; 32];
        rand::rng().fill_bytes(&mut secret);
        Self(ed25519_dalek::SigningKey::from_bytes(&secret))
    }

    /// Reads the key in `path`; makes one there (mode 0600) where there is none. Safe when several processes start at
    /// once: all end with the same key.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let file_error = |source| KeyError::File { path: path.display().to_string(), source };
        match fs::read_to_string(path) {
            Ok(pem) => return Self::from_pem(&pem, path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(file_error(error)),
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file_error)?;
        }
        let pem = Self::generate()
            .0
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| KeyError::Content(path.display().to_string()))?;
        // Written whole under a name of its own, then linked: whoever comes second finds the first one's key.
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        write_private(&draft, pem.as_bytes()).map_err(file_error)?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft).map_err(file_error)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(file_error(error)),
            _ => Self::from_pem(&fs::read_to_string(path).map_err(file_error)?, path),
        }
    }

    fn from_pem(pem: &str, path: &Path) -> Result<Self, KeyError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|_| KeyError::Content(path.display().to_string()))
    }

    /// The public half.
    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// 256 bits that only this key makes for this purpose and subject, always the same: the digest of a signature,
    /// which Ed25519 makes without chance (RFC 8032, section 5.1.6).
    pub fn secret_for(&self, purpose: &str, subject: &[u8]) -> [u8; 32] {
        use ed25519_dalek::Signer as _;
        let mut message = format!("techpotli secret {}:{purpose}:", purpose.len()).into_bytes();
        message.extend_from_slice(subject);
        Sha256::digest(self.0.sign(&message).to_bytes()).into()
    }

    pub(crate) fn jwt(&self) -> jsonwebtoken::EncodingKey {
        // The PKCS #8 document of a valid key always encodes.
        let der = self.0.to_pkcs8_der().map(|document| document.as_bytes().to_vec()).unwrap_or_default();
        jsonwebtoken::EncodingKey::from_ed_der(&der)
    }
}

impl VerifyingKey {
    /// Reads a public key in PEM form.
    pub fn from_pem(pem: &str) -> Option<Self> {
        ed25519_dalek::VerifyingKey::from_public_key_pem(pem).ok().map(Self)
    }

    /// The public key in PEM form.
    pub fn to_pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The 32 bytes as base64url, as a JWK has them (RFC 8037).
    pub fn to_base64url(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(self.0.as_bytes())
    }

    /// A short name of the key: the first 16 hex digits of its SHA-256.
    pub fn id(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(self.0.as_bytes())[..8])
    }

    pub(crate) fn jwt(&self) -> jsonwebtoken::DecodingKey {
        jsonwebtoken::DecodingKey::from_ed_der(self.0.as_bytes())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.verifying().id())
    }
}

#[cfg(unix)]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
}

#[cfg(not(unix))]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::File::create(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/session.pem");
        let first = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(first.verifying(), SigningKey::load_or_create(&path).unwrap().verifying());
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.pem");
        fs::write(&path, "hello").unwrap();
        assert!(SigningKey::load_or_create(&path).unwrap_err().to_string().contains("session.pem"));
    }

    #[test]
    fn a_secret_is_the_same_for_the_same_key_purpose_and_subject_only() {
        let (one, two) = (SigningKey::generate(), SigningKey::generate());
        let secret = one.secret_for("guest order", b"7");
        assert_eq!(secret, one.secret_for("guest order", b"7"));
        for other in [
            one.secret_for("guest order", b"8"),
            one.secret_for("guest", b" order7"),
            two.secret_for("guest order", b"7"),
        ] {
            assert_ne!(secret, other);
        }
    }
}
