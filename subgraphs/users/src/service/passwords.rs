//! Hashing passwords (argon2id, RFC 9106), away from the threads that serve requests and no more at once than there are
//! cores.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use common::Fault;
use data_encoding::BASE64_NOPAD;
use rand::RngCore as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::password::LONGEST;

/// How long a log-in waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// What a new hash costs. The default is OWASP's first recommendation for argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl PasswordCost {
    /// As little as argon2 allows: for tests.
    pub const CHEAPEST: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };
}

/// Makes and verifies password hashes. Cheap to clone; clones share their turns.
#[derive(Clone)]
pub struct Passwords {
    cost: PasswordCost,
    /// A hash that no password has, for accounts that are not there: looking for those takes as long.
    nobody: Arc<str>,
    turns: Arc<Semaphore>,
}

/// A turn at hashing.
pub struct Turn<'a> {
    passwords: &'a Passwords,
    _permit: SemaphorePermit<'a>,
}

impl Passwords {
    /// Hashes at this cost from now on; older hashes carry their own.
    pub fn new(cost: PasswordCost) -> Self {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cost, nobody: hash_of_nobody(cost).into(), turns: Arc::new(Semaphore::new(at_once)) }
    }

    /// Waits for a turn.
    pub async fn turn(&self) -> Result<Turn<'_>, Fault> {
        let waited = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let permit = waited.map_err(|late| Fault::unavailable("Log-in", late))?.map_err(Fault::internal)?;
        Ok(Turn { passwords: self, _permit: permit })
    }
}

impl Turn<'_> {
    /// The hash of a new password, in PHC form.
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        let (password, cost) = (password.to_owned(), self.passwords.cost);
        let hashed = tokio::task::spawn_blocking(move || hash(&password, cost)).await;
        hashed.map_err(Fault::internal)?
    }

    /// Whether the password is the one that was hashed; without a hash it is not, and that takes as long to say.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Fault> {
        let hash = hash.unwrap_or(&self.passwords.nobody).to_owned();
        // A longer password was never accepted: it is cut, so that it costs no more than others.
        let longest = password.len().min(LONGEST + 1);
        let password = password.as_bytes()[..longest].to_vec();
        let verified = tokio::task::spawn_blocking(move || {
            Argon2::default().verify_password(&password, hash.as_str()).is_ok()
        });
        verified.await.map_err(Fault::internal)
    }
}

/// The hash of a password, in PHC form. Takes its time: not for threads that serve requests.
pub fn hash(password: &str, cost: PasswordCost) -> Result<String, Fault> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_BYTES))
        .map_err(|error| Fault::internal(error.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut salt = [0u8; SALT_BYTES];
    rand::rng().fill_bytes(&mut salt);
    let hash = argon2
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| Fault::internal(error.to_string()))?;
    Ok(hash.to_string())
}

fn hash_of_nobody(cost: PasswordCost) -> String {
    let mut chance = [0u8; SALT_BYTES + HASH_BYTES];
    rand::rng().fill_bytes(&mut chance);
    let (salt, hash) = chance.split_at(SALT_BYTES);
    let PasswordCost { memory_kib, passes, lanes } = cost;
    format!(
        "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${}${}",
        BASE64_NOPAD.encode(salt),
        BASE64_NOPAD.encode(hash)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_by_a_hash_that_never_repeats() {
        let passwords = Passwords::new(PasswordCost::CHEAPEST);
        let turn = passwords.turn().await.unwrap();
        let (one, other) =
            (turn.hash("correct horse").await.unwrap(), turn.hash("correct horse").await.unwrap());
        assert_ne!(one, other);
        assert!(one.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{one}");
        assert!(turn.verify("correct horse", Some(&one)).await.unwrap());
        assert!(!turn.verify("correct horsf", Some(&one)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_hash_that_is_verified_like_any_other_and_never_fits() {
        let passwords = Passwords::new(PasswordCost::CHEAPEST);
        // Without this, a malformed hash would be refused at once, and an unknown account would show by its speed.
        let nobody = argon2::password_hash::phc::PasswordHash::new(&passwords.nobody).unwrap();
        assert_eq!(nobody.hash.map(|hash| hash.as_bytes().len()), Some(HASH_BYTES));
        assert!(!passwords.turn().await.unwrap().verify("correct horse", None).await.unwrap());
    }
}
