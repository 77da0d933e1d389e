//! The life of a message: queued, tried a few times, and then sent or given up.

use std::time::Duration;

use async_graphql::Enum;
use common::Timestamp;
use sea_orm::entity::prelude::*;

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(12))")]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    #[sea_orm(string_value = "QUEUED")]
    Queued,
    /// It was handed to whoever carries it.
    #[sea_orm(string_value = "SENT")]
    Sent,
    /// It has reached the recipient.
    #[sea_orm(string_value = "DELIVERED")]
    Delivered,
    /// The recipient's side refused it for good.
    #[sea_orm(string_value = "BOUNCED")]
    Bounced,
    /// It was tried several times in vain.
    #[sea_orm(string_value = "FAILED")]
    Failed,
    /// It was not sent, because the user does not want such messages.
    #[sea_orm(string_value = "SUPPRESSED")]
    Suppressed,
}

/// Why a message was not carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another try may go better.
    #[error("it could not be sent now: {0}")]
    Temporary(String),
    /// No try will.
    #[error("it was refused: {0}")]
    Permanent(String),
}

/// What is done with a message after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Its life ends in this state.
    Settle(DeliveryState),
    /// It is tried again then.
    TryAgain(Timestamp),
}

/// How long a claimed message is left to its claimer before another may try: longer than a try may take.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long a try may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The pauses after the tries, in seconds; after the last pause comes the last try.
const PAUSES_S: [u64; 4] = [30, 120, 600, 3_600];

/// Decides after the try number `attempts`, which was carried to `reached` or failed.
pub fn after_try(attempts: i32, outcome: Result<DeliveryState, &SendError>, now: Timestamp) -> Next {
    match outcome {
        Ok(reached) => Next::Settle(reached),
        Err(SendError::Permanent(_)) => Next::Settle(DeliveryState::Bounced),
        Err(SendError::Temporary(_)) => {
            let pause = usize::try_from(attempts - 1).ok().and_then(|tried| PAUSES_S.get(tried));
            match pause {
                Some(pause) => Next::TryAgain(now.plus(Duration::from_secs(*pause))),
                None => Next::Settle(DeliveryState::Failed),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_five_times_and_given_up() {
        let now = Timestamp(0);
        let later = |seconds| Next::TryAgain(now.plus(Duration::from_secs(seconds)));
        let busy = SendError::Temporary("busy".into());
        let gone = SendError::Permanent("gone".into());
        let cases = [
            (1, Ok(DeliveryState::Sent), Next::Settle(DeliveryState::Sent)),
            (1, Err(&busy), later(30)),
            (2, Err(&busy), later(120)),
            (3, Err(&busy), later(600)),
            (4, Err(&busy), later(3_600)),
            (5, Err(&busy), Next::Settle(DeliveryState::Failed)),
            (6, Err(&busy), Next::Settle(DeliveryState::Failed)),
            (5, Ok(DeliveryState::Delivered), Next::Settle(DeliveryState::Delivered)),
            (1, Err(&gone), Next::Settle(DeliveryState::Bounced)),
        ];
        for (attempts, outcome, next) in cases {
            assert_eq!(after_try(attempts, outcome, now), next, "{attempts} {outcome:?}");
        }
    }
}
