//! The job that delivers what is queued: mail through a carrier, messages in the shop by telling who watches.

use std::time::Duration;

use common::id::NotificationId;
use common::{Fault, Timestamp};
use database::{ScopedFutureExt as _, Tx};
use jobs::Job;

use super::Notifications;
use crate::channel::{Message, SendError};
use crate::domain::delivery::{LEASE, Next, PATIENCE, after_try};
use crate::domain::{Channel, DeliveryState};
use crate::entity::notification;

/// Messages that are tried at once.
const BATCH: u64 = 50;
/// How long to wait where nobody wakes us: for tries that are due, and for other processes' rows.
const IDLE: Duration = Duration::from_secs(5);

/// The job. How often a message was tried, and when it is tried again, stands in its own row; one that was under way
/// when its process died is tried again when its lease is over.
pub fn job(notifications: &Notifications) -> Job {
    Job::every("deliver-messages", IDLE, notifications, |notifications, _| async move {
        while notifications.deliver_due().await? {}
        Ok(())
    })
    .looking(notifications, |notifications| async move {
        let now = notifications.ports.clock.now();
        notification::any_due(notifications.ports.database.newest(), now).await
    })
    .nudged_by(&notifications.written)
}

impl Notifications {
    /// Tries some of what is due; says whether there was any.
    async fn deliver_due(&self) -> Result<bool, Fault> {
        let now = self.ports.clock.now();
        let claimed = self
            .ports
            .database
            .transaction(|tx| {
                async move { notification::claim(tx, now, now.plus(LEASE), BATCH).await }.scope_boxed()
            })
            .await?;
        if claimed.is_empty() {
            return Ok(false);
        }
        let tries = claimed.iter().map(|row| async move { (row, self.attempt(row).await) });
        let tried = futures::future::join_all(tries).await;
        let next: Vec<(NotificationId, Next)> =
            tried.iter().map(|(row, outcome)| (row.id, self.judge(row, outcome, now))).collect();
        self.ports.database.transaction(|tx| keep(tx, &next).scope_boxed()).await?;
        for (row, outcome) in tried {
            if let (Channel::InApp, Some(user), Ok(_)) = (row.channel, row.user_id, outcome) {
                self.live.announce((user, row.id));
            }
        }
        Ok(true)
    }

    async fn attempt(&self, row: &notification::Model) -> Result<DeliveryState, SendError> {
        if row.channel == Channel::InApp {
            return Ok(DeliveryState::Delivered);
        }
        let Some(carrier) = self.carrier(row.channel) else {
            return Err(SendError::Permanent("nothing carries messages through this channel".into()));
        };
        let message = message_of(row);
        match tokio::time::timeout(PATIENCE, carrier.carry(&message)).await {
            Ok(carried) => carried.map(|()| DeliveryState::Sent),
            Err(_) => Err(SendError::Temporary("it took too long".into())),
        }
    }

    fn judge(
        &self,
        row: &notification::Model,
        outcome: &Result<DeliveryState, SendError>,
        now: Timestamp,
    ) -> Next {
        if let Err(error) = outcome {
            tracing::warn!(notification.id = %row.id, attempt = row.attempts, %error, "a message was not carried");
        }
        after_try(row.attempts, outcome.as_ref().map(|state| *state), now)
    }
}

async fn keep(tx: &Tx, next: &[(NotificationId, Next)]) -> Result<(), Fault> {
    use DeliveryState::{Bounced, Delivered, Failed, Sent};
    for state in [Sent, Delivered, Bounced, Failed] {
        let settled = next.iter().filter(|(_, next)| *next == Next::Settle(state)).map(|(id, _)| *id);
        notification::settle(tx, settled.collect(), state).await?;
    }
    for (id, next) in next {
        if let Next::TryAgain(at) = next {
            notification::postpone(tx, *id, *at).await?;
        }
    }
    Ok(())
}

fn message_of(row: &notification::Model) -> Message {
    let body = match &row.confidential {
        Some(confidential) => format!("{}\n\n{confidential}", row.body),
        None => row.body.clone(),
    };
    Message {
        id: row.id,
        recipient: row.recipient.clone(),
        locale: row.locale.clone(),
        title: row.title.clone(),
        body,
        written_at: row.created_at,
    }
}
