//! How long log-ins and mailed links last.

use std::time::Duration;

use common::Timestamp;

const DAY: u64 = 24 * 60 * 60;

/// An access token.
pub const ACCESS_TOKEN: Duration = Duration::from_secs(15 * 60);
/// A session that nobody refreshes.
pub const IDLE_SESSION: Duration = Duration::from_secs(30 * DAY);
/// A session, however often it is refreshed.
pub const LONGEST_SESSION: Duration = Duration::from_secs(180 * DAY);
/// The link of a password reset.
pub const PASSWORD_RESET: Duration = Duration::from_secs(60 * 60);
/// At most [`MOST_RESETS`] resets are mailed to a user in this time.
pub const RESET_WINDOW: Duration = Duration::from_secs(60 * 60);
/// See [`RESET_WINDOW`].
pub const MOST_RESETS: u64 = 3;

/// When a session ends that began at `began` and is used now.
pub fn session_end(began: Timestamp, now: Timestamp) -> Timestamp {
    now.plus(IDLE_SESSION).min(began.plus(LONGEST_SESSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_moves_on_when_used_but_not_for_ever() {
        let began = Timestamp(0);
        assert_eq!(session_end(began, began), began.plus(IDLE_SESSION));
        let late = began.plus(LONGEST_SESSION).minus(Duration::from_secs(DAY));
        assert_eq!(session_end(began, late), began.plus(LONGEST_SESSION));
    }
}
