//! The use cases of notifications: what is told to whom, and how it gets there.

mod alert;
mod deliver;
mod preference;
mod tell;
mod webhook;

use std::sync::Arc;

use common::id::{NotificationId, UserId};
use jobs::Nudge;
use subgraph::{Live, News, Ports};

use crate::channel::Carrier;
use crate::domain::Channel;

pub use deliver::job;
pub use preference::Choice;
pub use tell::Telling;

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Notifications {
    pub ports: Ports,
    /// Tells of messages in the shop when they are delivered, with whose they are.
    pub live: Live<(UserId, NotificationId)>,
    carriers: Arc<[Arc<dyn Carrier>]>,
    written: Nudge,
}

impl Notifications {
    /// Notifications on these ports, carried by these carriers.
    pub fn new(ports: &Ports, carriers: Vec<Arc<dyn Carrier>>) -> Self {
        Self { ports: ports.clone(), live: Live::new(), carriers: carriers.into(), written: Nudge::default() }
    }

    /// What other processes are told when a message is delivered by this one.
    pub fn news(&self) -> News {
        News::of("notifications.message", &self.live, |(user, message)| format!("{user} {message}"))
    }

    /// To be called with what another process told of: who watches is told of the message.
    pub fn hear_of(&self, news: &str) {
        if let Some((user, message)) = news.split_once(' ')
            && let (Ok(user), Ok(message)) = (user.parse(), message.parse())
        {
            self.live.announce((user, message));
        }
    }

    /// Whether anything is sent through this channel.
    pub fn offers(&self, channel: Channel) -> bool {
        channel == Channel::InApp || self.carrier(channel).is_some()
    }

    fn carrier(&self, channel: Channel) -> Option<&Arc<dyn Carrier>> {
        self.carriers.iter().find(|carrier| carrier.channel() == channel)
    }

    /// Says, after a commit, that there may be something to deliver.
    pub fn wake(&self) {
        self.written.nudge();
    }
}
