//! The tables of `users`, one a file, each with its finders.

pub mod address;
pub mod identity;
pub mod login_throttle;
pub mod password_reset;
pub mod refresh_token;
pub mod session;
pub mod user;
