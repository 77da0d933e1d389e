//! The use cases of accounts: each is one transaction.

mod address;
mod identity;
mod password;
mod passwords;
mod read;
mod register;
mod session;
pub mod sweep;

use std::sync::Arc;
use std::time::Duration;

use auth::TokenIssuer;
use cache::Cache;
use common::id::UserId;
use subgraph::Ports;

use crate::entity::user;

pub use passwords::{PasswordCost, Passwords, hash};
pub use register::Registration;
pub use session::Login;

/// How long another process's change may go unseen where nobody tells of it; this one's changes are seen at once.
const AGE: Duration = Duration::from_secs(30);
/// Users kept in memory.
const KEPT: usize = 50_000;
/// Users who are read before anybody asks, and how many at once.
const WARM: usize = 2_000;
const CHUNK: u64 = 1_000;

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub ports: Ports,
    pub passwords: Passwords,
    pub issuer: Arc<TokenIssuer>,
    seen: Cache<UserId, Arc<user::Model>>,
}

impl Accounts {
    /// Accounts on these ports, whose new passwords are hashed at this cost.
    pub fn new(ports: &Ports, cost: PasswordCost) -> Self {
        let issuer = TokenIssuer::new(&ports.keys.session, ports.clock.clone());
        Self {
            ports: ports.clone(),
            passwords: Passwords::new(cost),
            issuer: Arc::new(issuer),
            seen: ports.memory.cache(KEPT, AGE),
        }
    }
}
