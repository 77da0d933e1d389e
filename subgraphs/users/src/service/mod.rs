//! The use cases of accounts: each is one transaction.

mod address;
mod password;
mod passwords;
mod register;
mod session;
pub mod sweep;

use std::sync::Arc;

use auth::TokenIssuer;
use subgraph::Ports;

pub use passwords::{PasswordCost, Passwords, hash};
pub use register::Registration;
pub use session::Login;

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub ports: Ports,
    pub passwords: Passwords,
    pub issuer: Arc<TokenIssuer>,
}

impl Accounts {
    /// Accounts on these ports, whose new passwords are hashed at this cost.
    pub fn new(ports: &Ports, cost: PasswordCost) -> Self {
        let issuer = TokenIssuer::new(&ports.keys.session, ports.clock.clone());
        Self { ports: ports.clone(), passwords: Passwords::new(cost), issuer: Arc::new(issuer) }
    }
}
