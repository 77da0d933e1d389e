//! What users want to hear, and how.

use common::id::UserId;
use common::{Failure, Fault};
use database::ScopedFutureExt as _;

use super::Notifications;
use crate::domain::topic::TOPICS;
use crate::domain::{Channel, Channels, Refusal, Topic};
use crate::entity::preference;

/// Through which channels a user wants to hear of a topic.
#[derive(Debug, Clone)]
pub struct Choice {
    pub topic: Topic,
    pub channels: Vec<Channel>,
}

impl Notifications {
    /// What a user hears, topic by topic: what they chose, or the default.
    pub async fn preferences(&self, user: UserId) -> Result<Vec<(Topic, Channels)>, Fault> {
        let chosen = preference::of_users(self.ports.database.read(), vec![user]).await?;
        Ok(complete(&chosen))
    }

    /// Keeps choices; topics that are not named stay as they are. A refusal comes with the place of the choice.
    pub async fn choose(
        &self,
        user: UserId,
        choices: &[Choice],
    ) -> Result<Vec<(Topic, Channels)>, Failure<(usize, Refusal)>> {
        for (place, choice) in choices.iter().enumerate() {
            self.check(&choices[..place], choice).map_err(|refusal| Failure::Refused((place, refusal)))?;
        }
        let rows: Vec<preference::Model> = choices
            .iter()
            .map(|choice| preference::Model {
                user_id: user,
                topic: choice.topic,
                channels: Channels::new(&choice.channels),
            })
            .collect();
        self.ports
            .database
            .transaction(|tx| {
                let rows = rows.clone();
                async move {
                    preference::keep(tx, rows).await?;
                    Ok(complete(&preference::of_users(tx, vec![user]).await?))
                }
                .scope_boxed()
            })
            .await
    }

    fn check(&self, before: &[Choice], choice: &Choice) -> Result<(), Refusal> {
        if before.iter().any(|other| other.topic == choice.topic) {
            return Err(Refusal::TopicTwice);
        }
        if choice.topic.required_channel().is_some_and(|required| !choice.channels.contains(&required)) {
            return Err(Refusal::SecurityRequired);
        }
        if choice.channels.iter().any(|channel| !self.offers(*channel)) {
            return Err(Refusal::ChannelNotOffered);
        }
        Ok(())
    }
}

fn complete(chosen: &[preference::Model]) -> Vec<(Topic, Channels)> {
    let of = |topic: Topic| {
        let choice = chosen.iter().find(|choice| choice.topic == topic);
        choice.map_or_else(|| topic.default_channels(), |choice| choice.channels.clone())
    };
    TOPICS.iter().map(|topic| (*topic, of(*topic))).collect()
}
