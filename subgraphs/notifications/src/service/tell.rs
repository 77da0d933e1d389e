//! Telling people: an occasion becomes a row for each channel that they want to hear through.

use std::collections::HashMap;

use common::Fault;
use common::id::{OrderId, UserId, VariantId};
use database::Tx;

use super::Notifications;
use crate::domain::template::{Occasion, text};
use crate::domain::{Channel, Channels, DeliveryState, Topic};
use crate::entity::{notification, preference};

/// Something to tell somebody.
pub struct Telling<'a> {
    /// Whom; nobody for a guest.
    pub user: Option<UserId>,
    /// Where mail goes.
    pub email: String,
    /// BCP 47 tag of the language.
    pub locale: String,
    pub topic: Topic,
    /// What happened: the same cause is told to the same person once.
    pub cause: String,
    pub occasion: Occasion<'a>,
    pub order: Option<OrderId>,
    pub variant: Option<VariantId>,
    /// What only the reader of the mail may know. Such a message goes by mail alone.
    pub confidential: Option<String>,
}

impl Notifications {
    /// Writes what is to be told, in the transaction of what made it true.
    pub async fn tell(&self, tx: &Tx, tellings: Vec<Telling<'_>>) -> Result<(), Fault> {
        let users: Vec<UserId> = tellings.iter().filter_map(|telling| telling.user).collect();
        let chosen: HashMap<(UserId, Topic), Channels> = preference::of_users(tx, users)
            .await?
            .into_iter()
            .map(|choice| ((choice.user_id, choice.topic), choice.channels))
            .collect();
        let mut rows = Vec::new();
        for telling in &tellings {
            let choice = telling.user.and_then(|user| chosen.get(&(user, telling.topic)));
            for (channel, state) in ways(telling, choice) {
                rows.push(self.row(telling, channel, state));
            }
        }
        notification::write(tx, rows).await
    }

    fn row(&self, telling: &Telling<'_>, channel: Channel, state: DeliveryState) -> notification::Model {
        let now = self.ports.clock.now();
        let words = text(telling.occasion, &telling.locale);
        let recipient = match (channel, telling.user) {
            (Channel::InApp, Some(user)) => user.to_string(),
            _ => telling.email.clone(),
        };
        notification::Model {
            id: self.ports.ids.next(),
            user_id: telling.user,
            order_id: telling.order,
            variant_id: telling.variant,
            topic: telling.topic,
            channel,
            cause: telling.cause.clone(),
            recipient,
            locale: telling.locale.clone(),
            title: words.title,
            body: words.body,
            confidential: telling.confidential.clone(),
            state,
            attempts: 0,
            next_try_at: now,
            read_at: None,
            created_at: now,
        }
    }
}

/// The channels of a message. Guests get mail, users what they chose; a mail that a user does not want is kept as such,
/// so that support can see why none came.
fn ways(telling: &Telling<'_>, choice: Option<&Channels>) -> Vec<(Channel, DeliveryState)> {
    if telling.user.is_none() || telling.confidential.is_some() {
        return vec![(Channel::Email, DeliveryState::Queued)];
    }
    let channels = choice.cloned().unwrap_or_else(|| telling.topic.default_channels());
    let mail =
        if channels.contains(Channel::Email) { DeliveryState::Queued } else { DeliveryState::Suppressed };
    let mut ways = vec![(Channel::Email, mail)];
    if channels.contains(Channel::InApp) {
        ways.push((Channel::InApp, DeliveryState::Queued));
    }
    ways
}
