//! The provider's signing keys (RFC 7517): cached, read again by one for all, and seldom for keys that nobody has.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use common::{Clock, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use openidconnect::core::CoreJsonWebKeySet;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use super::LoginError;
use super::provider::Provider;

/// After so long the keys are read again when one is needed, so that a key that was taken away stops soon. Together
/// with `pipeline::authenticate::RECHECK` this is less than a minute.
const FRESH: Duration = Duration::from_secs(25);
/// Between two readings, whatever asks for them: a new key is known after so long at the latest, and whoever makes up
/// names of keys causes no more than this.
const PAUSE: Duration = Duration::from_secs(5);
/// Keys that could not be read again for so long are not believed any more.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// One key.
pub(super) struct Key {
    id: String,
    algorithms: &'static [Algorithm],
    pub(super) decoding: DecodingKey,
}

/// All keys of one reading.
pub(super) struct KeySet {
    keys: Vec<Arc<Key>>,
    /// The same for the library that verifies ID tokens.
    pub(super) set: CoreJsonWebKeySet,
    read: Timestamp,
}

/// The keys of a provider.
pub(super) struct SigningKeys {
    known: RwLock<Option<Arc<KeySet>>>,
    /// Held by the one who reads, with the time of the last try.
    turn: Mutex<Option<Timestamp>>,
    clock: Clock,
}

impl SigningKeys {
    /// None yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self { known: RwLock::default(), turn: Mutex::default(), clock }
    }

    /// The key of this name for this algorithm.
    pub(super) async fn key(
        &self,
        provider: &Provider,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<Arc<Key>, LoginError> {
        let set = self.with_key(provider, id, algorithm).await?;
        set.find(id, algorithm).ok_or(LoginError::InvalidToken)
    }

    /// The newest set, read again where it is old or does not know the key.
    pub(super) async fn with_key(
        &self,
        provider: &Provider,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<Arc<KeySet>, LoginError> {
        let known = self.known().filter(|set| set.find(id, algorithm).is_some());
        match known {
            Some(set) if self.is_within(FRESH, set.read) => return Ok(set),
            // Whoever has the key and finds another one reading does not wait for them.
            Some(set) => match self.turn.try_lock() {
                Ok(turn) => self.read(provider, turn).await,
                Err(_) => return Ok(set),
            },
            None => self.read(provider, self.turn.lock().await).await,
        }
        let usable = |set: &Arc<KeySet>| self.is_within(STALE, set.read);
        self.known().filter(usable).ok_or(LoginError::Unavailable)
    }

    fn is_within(&self, age: Duration, since: Timestamp) -> bool {
        self.clock.now() < since.plus(age)
    }

    fn known(&self) -> Option<Arc<KeySet>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, provider: &Provider, mut tried: MutexGuard<'_, Option<Timestamp>>) {
        if tried.is_some_and(|tried| self.is_within(PAUSE, tried)) {
            return;
        }
        let read = fetch(provider, self.clock.now()).await;
        // From the end of a reading: whoever waited for it in the queue is served by it.
        *tried = Some(self.clock.now());
        match read {
            Ok(set) => *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set)),
            Err(reason) => tracing::warn!(reason, "the identity provider's keys cannot be read"),
        }
    }
}

impl KeySet {
    fn find(&self, id: &str, algorithm: Algorithm) -> Option<Arc<Key>> {
        self.keys.iter().find(|key| key.id == id && key.algorithms.contains(&algorithm)).cloned()
    }
}

async fn fetch(provider: &Provider, now: Timestamp) -> Result<KeySet, String> {
    let discovered = provider.discovered().await.map_err(|error| error.to_string())?;
    let document: Value = provider.json(discovered.metadata.jwks_uri().as_str()).await?;
    parse(document, now)
}

fn parse(document: Value, read: Timestamp) -> Result<KeySet, String> {
    let listed = document.get("keys").and_then(Value::as_array).ok_or("it is no key set")?;
    // A key of a kind that is not known here takes nothing from the others.
    let keys =
        listed.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok()).filter_map(key);
    let keys: Vec<Arc<Key>> = keys.map(Arc::new).collect();
    let set = serde_json::from_value(document).map_err(|error| error.to_string())?;
    Ok(KeySet { keys, set, read })
}

fn key(jwk: Jwk) -> Option<Key> {
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let id = jwk.common.key_id.clone().filter(|_| signs)?;
    let algorithms = algorithms(&jwk)?;
    Some(Key { id, algorithms, decoding: DecodingKey::from_jwk(&jwk).ok()? })
}

/// What a key may sign with: what it says, and where it does not, all that its kind can. Symmetric keys can nothing.
fn algorithms(jwk: &Jwk) -> Option<&'static [Algorithm]> {
    let able: &'static [Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => {
            &[Algorithm::RS256, Algorithm::RS384, Algorithm::PS256, Algorithm::PS384]
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            &[Algorithm::ES256]
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => {
            &[Algorithm::ES384]
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            &[Algorithm::EdDSA]
        }
        _ => return None,
    };
    let Some(said) = jwk.common.key_algorithm else { return Some(able) };
    let said = said.to_string();
    let place = able.iter().position(|one| format!("{one:?}") == said)?;
    Some(&able[place..=place])
}
