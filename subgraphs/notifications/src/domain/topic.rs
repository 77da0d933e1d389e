//! What messages are about, which ways they go, and which of both a user chose.

use async_graphql::Enum;
use sea_orm::Iterable as _;
use sea_orm::entity::prelude::*;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
#[graphql(name = "NotificationTopic")]
pub enum Topic {
    /// Orders: confirmed, called off.
    #[sea_orm(string_value = "ORDER")]
    Order,
    /// Parcels: on their way, delivered.
    #[sea_orm(string_value = "SHIPPING")]
    Shipping,
    /// Something on a wish list has become cheaper.
    #[sea_orm(string_value = "PRICE_DROP")]
    PriceDrop,
    /// Something that was sold out can be bought again.
    #[sea_orm(string_value = "BACK_IN_STOCK")]
    BackInStock,
    /// The account: registration, passwords. It cannot be switched off.
    #[sea_orm(string_value = "SECURITY")]
    Security,
    /// Offers. Off until the user asks for them.
    #[sea_orm(string_value = "MARKETING")]
    Marketing,
}

/// A way that a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
#[graphql(name = "NotificationChannel")]
pub enum Channel {
    /// By mail.
    #[sea_orm(string_value = "EMAIL")]
    Email,
    /// By text message.
    #[sea_orm(string_value = "SMS")]
    Sms,
    /// To a device.
    #[sea_orm(string_value = "PUSH")]
    Push,
    /// In the shop itself, live.
    #[sea_orm(string_value = "IN_APP")]
    InApp,
}

/// All topics, in the order in which preferences are shown.
pub const TOPICS: [Topic; 6] =
    [Topic::Order, Topic::Shipping, Topic::PriceDrop, Topic::BackInStock, Topic::Security, Topic::Marketing];

/// Some channels, stored as their names with spaces between.
#[derive(Debug, Clone, PartialEq, Eq, DeriveValueType)]
pub struct Channels(String);

impl Channels {
    /// These channels, each once.
    pub fn new(channels: &[Channel]) -> Self {
        let chosen = Channel::iter().filter(|channel| channels.contains(channel));
        Self(chosen.map(|channel| channel.to_value()).collect::<Vec<_>>().join(" "))
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Channel> {
        self.0.split(' ').filter_map(|name| Channel::try_from_value(&name.to_owned()).ok())
    }

    /// Whether this one is among them.
    pub fn contains(&self, channel: Channel) -> bool {
        self.iter().any(|one| one == channel)
    }
}

impl Topic {
    /// Through which channels a user hears of the topic who has chosen nothing.
    pub fn default_channels(self) -> Channels {
        Channels::new(match self {
            Self::Order | Self::Shipping | Self::BackInStock | Self::Security => {
                &[Channel::Email, Channel::InApp]
            }
            Self::PriceDrop => &[Channel::InApp],
            Self::Marketing => &[],
        })
    }

    /// The channel that the topic must keep, whatever the user likes.
    pub const fn required_channel(self) -> Option<Channel> {
        match self {
            Self::Security => Some(Channel::Email),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_survive_their_text_each_once() {
        let channels = Channels::new(&[Channel::InApp, Channel::Email, Channel::InApp]);
        assert_eq!(channels.iter().collect::<Vec<_>>(), [Channel::Email, Channel::InApp]);
        assert_eq!(Channels::new(&[]).iter().count(), 0);
    }

    #[test]
    fn defaults_keep_what_is_required_and_leave_marketing_to_those_who_ask() {
        for topic in TOPICS {
            if let Some(required) = topic.required_channel() {
                assert!(topic.default_channels().contains(required), "{topic:?}");
            }
        }
        assert_eq!(Topic::Marketing.default_channels().iter().count(), 0);
        assert_eq!(TOPICS.len(), Topic::iter().count());
    }
}
