//! Values that processes share in a Redis: loaded once for all, renewed a little before they are too old, and forgotten
//! by tag.
//!
//! The name of a value has in it the generation of its tag, a random text that [`Tier::forget`] replaces: what was loaded
//! before is then found by nobody any more, also what is still being loaded. So nothing that belongs together lies in
//! two slots of a cluster but the tag, which is read first.
//!
//! Redis away, or too slow: the value is loaded as if there were none.

use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use metrics::Counter;
use rand::Rng as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::key::{Key, Kind};
use crate::{Away, Library, Remote};

const LIBRARY: Library = Library { source: include_str!("tier.lua") };
const TAG: Kind<String> = Kind::new("cache-tag", 1);
const CLAIM: Kind<String> = Kind::new("cache-claim", 1);

/// After so long a caller who was to load a value is given up. Less than any loader waits for what it asks.
const CLAIMED: Duration = Duration::from_secs(5);
/// How long others wait for what it brings before they load it themselves, and how often they look.
const PATIENCE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(5);

/// Values of one kind by name. Clones share its counts.
#[derive(Clone)]
pub struct Tier<V> {
    remote: Remote,
    values: Kind<V>,
    tag: String,
    age: Duration,
    claimed: Duration,
    patience: Duration,
    counts: Counts,
}

/// How requests ended.
#[derive(Clone)]
struct Counts {
    hit: Counter,
    /// It was there, and was loaded anew before it was too old.
    renewed: Counter,
    /// Another one was loading it.
    waited: Counter,
    miss: Counter,
    away: Counter,
}

/// Where one value lies, and the claim on loading it.
struct Place<V> {
    value: Key<V>,
    claim: Key<String>,
    /// Whoever asks.
    caller: String,
}

enum Found {
    Hit(Vec<u8>),
    /// Too old soon: the caller loads it.
    Renew(Vec<u8>),
    Load,
    /// Another one loads it.
    Wait,
}

impl<V: Serialize + DeserializeOwned> Tier<V> {
    /// Values of this kind, all with this tag, each kept for `age`.
    pub fn new(remote: Remote, name: &'static str, values: Kind<V>, tag: String, age: Duration) -> Self {
        let count = |outcome: &'static str| metrics::counter!("techpotli_cache_requests_total", "cache" => name, "outcome" => outcome);
        let counts = Counts {
            hit: count("hit"),
            renewed: count("renewed"),
            waited: count("waited"),
            miss: count("miss"),
            away: count("away"),
        };
        Self { remote, values, tag, age, claimed: CLAIMED, patience: PATIENCE, counts }
    }

    /// The same, where a caller who loads is given up after `claimed`, and others wait for `patience` before they load.
    #[must_use]
    pub fn patient(self, claimed: Duration, patience: Duration) -> Self {
        Self { claimed, patience, ..self }
    }

    /// The value of this name; where it is not there, what `load` brings.
    pub async fn get_or_load<E>(
        &self,
        name: &[u8],
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let Ok(place) = self.place(name).await else {
            self.counts.away.increment(1);
            return load.await;
        };
        let begun = Instant::now();
        loop {
            match self.look(&place).await {
                Ok(Found::Hit(value)) => {
                    if let Ok(value) = serde_json::from_slice(&value) {
                        match begun.elapsed() < LOOK {
                            true => self.counts.hit.increment(1),
                            false => self.counts.waited.increment(1),
                        }
                        return Ok(value);
                    }
                    self.counts.miss.increment(1);
                    return self.load(&place, load).await;
                }
                Ok(Found::Renew(known)) => {
                    self.counts.renewed.increment(1);
                    let loaded = self.load(&place, load).await;
                    return loaded.or_else(|error| serde_json::from_slice(&known).map_err(|_| error));
                }
                Ok(Found::Wait) if begun.elapsed() < self.patience => tokio::time::sleep(LOOK).await,
                Ok(Found::Load | Found::Wait) => {
                    self.counts.miss.increment(1);
                    return self.load(&place, load).await;
                }
                Err(Away) => {
                    self.counts.away.increment(1);
                    return load.await;
                }
            }
        }
    }

    /// Forgets all values. To be called after what they say has changed where `load` reads it.
    pub async fn forget(&self) -> Result<(), Away> {
        let mut command = redis::cmd("SET");
        command.arg(self.remote.key(&TAG, &self.tag).as_str()).arg(fresh());
        self.remote.send(&command).await
    }

    /// Loads and puts. Whoever cannot put has the value all the same.
    async fn load<E>(&self, place: &Place<V>, load: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let begun = Instant::now();
        let loaded = load.await;
        match loaded.as_ref().map(serde_json::to_vec) {
            Ok(Ok(value)) => {
                let took = begun.elapsed().as_millis().max(1).to_string();
                let age = self.age.as_millis().to_string();
                let arguments = [place.caller.as_bytes(), &value, took.as_bytes(), age.as_bytes()];
                let keys = [place.value.as_str(), place.claim.as_str()];
                self.remote.call::<i64>(LIBRARY, "techpotli_cache_put", &keys, &arguments).await.ok();
            }
            _ => {
                let keys = [place.claim.as_str()];
                let arguments = [place.caller.as_str()];
                self.remote.call::<i64>(LIBRARY, "techpotli_cache_let_go", &keys, &arguments).await.ok();
            }
        }
        loaded
    }

    async fn look(&self, place: &Place<V>) -> Result<Found, Away> {
        // XFetch: -ln of a number drawn from (0, 1]. A value that took longer to load is renewed earlier.
        let early = -(1.0 - rand::rng().random::<f64>()).ln();
        let arguments = [place.caller.clone(), self.claimed.as_millis().to_string(), format!("{early:.6}")];
        let keys = [place.value.as_str(), place.claim.as_str()];
        let looked = self.remote.call(LIBRARY, "techpotli_cache_look", &keys, &arguments).await?;
        let (known, is_claimed): (Option<Vec<u8>>, i64) = looked;
        Ok(match (known, is_claimed) {
            (Some(value), 0) => Found::Hit(value),
            (Some(value), _) => Found::Renew(value),
            (None, 0) => Found::Wait,
            (None, _) => Found::Load,
        })
    }

    async fn place(&self, name: &[u8]) -> Result<Place<V>, Away> {
        let generation = self.generation().await?;
        let name = Sha256::new().chain_update(generation).chain_update(name).finalize();
        let name = HEXLOWER.encode(&name[..20]);
        Ok(Place {
            value: self.remote.key(&self.values, &name),
            claim: self.remote.key(&CLAIM, &name),
            caller: fresh(),
        })
    }

    /// The generation of the tag. A server that has lost it gets another one, and then knows nothing of before.
    async fn generation(&self) -> Result<String, Away> {
        let key = self.remote.key(&TAG, &self.tag);
        if let Some(known) = self.remote.get(&key).await? {
            return Ok(known);
        }
        let fresh = fresh();
        let mut command = redis::cmd("SET");
        command.arg(key.as_str()).arg(&fresh).arg("NX").arg("GET");
        let known: Option<String> = self.remote.send(&command).await?;
        Ok(known.unwrap_or(fresh))
    }
}

/// A text that nobody else has.
fn fresh() -> String {
    HEXLOWER.encode(&rand::rng().random::<[u8; 16]>())
}
