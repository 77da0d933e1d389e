//! What `users` publishes.

use common::Timestamp;
use common::id::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event of the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Somebody asked for a new password.
    PasswordResetRequested {
        /// Whose.
        user: UserId,
        /// Where to write to.
        email: String,
        /// BCP 47 tag of their language.
        locale: String,
        /// What lets its bearer set a new password, once. To be mailed, and neither shown nor logged.
        token: String,
        /// When it stops.
        expires_at: Timestamp,
    },
}

impl super::Event for UsersEvent {
    const TOPIC: &'static str = "users";

    fn key(&self) -> String {
        match self {
            Self::UserRegistered { user, .. } | Self::PasswordResetRequested { user, .. } => user.to_string(),
        }
    }
}
