//! What notifications add to a user.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::id::UserId;
use common::{Cursor, Fault, PageArgs};
use subgraph::graphql::{Connection, PageInfo, viewer};

use super::notification::{Notification, NotificationConnection};
use super::part;
use crate::domain::access::Reach;
use crate::domain::{Channel, Channels, Topic};
use crate::entity::notification;
use crate::service::{Choice, Notifications};

/// Through which channels a user hears of a topic.
#[derive(SimpleObject)]
pub struct NotificationPreference {
    /// What the messages are about.
    pub topic: Topic,
    /// Which ways they go; none where the user does not want them.
    pub channels: Vec<Channel>,
}

impl From<(Topic, Channels)> for NotificationPreference {
    fn from((topic, channels): (Topic, Channels)) -> Self {
        Self { topic, channels: channels.iter().collect() }
    }
}

/// Through which channels a user wants to hear of a topic.
#[derive(InputObject)]
pub struct NotificationPreferenceInput {
    /// What the messages are about.
    pub topic: Topic,
    /// Which ways they shall go; none to hear nothing of it.
    pub channels: Vec<Channel>,
}

impl From<NotificationPreferenceInput> for Choice {
    fn from(input: NotificationPreferenceInput) -> Self {
        Self { topic: input.topic, channels: input.channels }
    }
}

/// A person with an account.
pub struct User {
    pub id: UserId,
}

impl User {
    /// Whether the viewer may see what this user is told.
    fn is_within_reach(&self, context: &Context<'_>) -> bool {
        Reach::of(viewer(context)).covers(self.id)
    }
}

/// A person with an account.
#[Object]
impl User {
    /// The account's id.
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// What the user was told in the shop, newest first. Null for other viewers.
    async fn notifications(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(20)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Option<NotificationConnection>> {
        if !self.is_within_reach(context) {
            return Ok(None);
        }
        let page = PageArgs::parse(first.unwrap_or(20), after.as_deref()).map_err(Fault::from)?;
        let database = &part::<Notifications>(context)?.ports.database;
        let rows = notification::inbox(database.read(), self.id, &page).await?;
        let found = Connection::new(&page, rows, |row| Cursor::new(&[&row.id]), Notification::from);
        let (nodes, page_info): (Vec<Notification>, PageInfo) = found.into_parts();
        Ok(Some(NotificationConnection { user: self.id, nodes, page_info }))
    }

    /// What the user wants to hear, topic by topic. Null for other viewers.
    async fn notification_preferences(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<Vec<NotificationPreference>>> {
        if !self.is_within_reach(context) {
            return Ok(None);
        }
        let preferences = part::<Notifications>(context)?.preferences(self.id).await?;
        Ok(Some(preferences.into_iter().map(NotificationPreference::from).collect()))
    }
}
