//! What `users` publishes.

use common::id::UserId;
use serde::{Deserialize, Serialize};

/// An event of the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum UsersEvent {
    /// An account was made.
    UserRegistered {
        /// Whose.
        user: UserId,
        /// Where to write to.
        email: String,
        /// BCP 47 tag of their language.
        locale: String,
    },
}

impl super::Event for UsersEvent {
    const TOPIC: &'static str = "users";

    fn key(&self) -> String {
        match self {
            Self::UserRegistered { user, .. } => user.to_string(),
        }
    }
}
