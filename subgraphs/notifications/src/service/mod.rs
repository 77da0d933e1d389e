//! The use cases of notifications: what is told to whom, and how it gets there.

mod alert;
mod deliver;
mod preference;
mod tell;
mod webhook;

use std::sync::Arc;

use common::id::{NotificationId, UserId};
use subgraph::{Live, Ports};
use tokio::sync::Notify;

use crate::channel::Carrier;
use crate::domain::Channel;

pub use deliver::run as deliver;
pub use preference::Choice;
pub use tell::Telling;

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Notifications {
    pub ports: Ports,
    /// Tells of messages in the shop when they are delivered, with whose they are.
    pub live: Live<(UserId, NotificationId)>,
    carriers: Arc<[Arc<dyn Carrier>]>,
    written: Arc<Notify>,
}

impl Notifications {
    /// Notifications on these ports, carried by these carriers.
    pub fn new(ports: &Ports, carriers: Vec<Arc<dyn Carrier>>) -> Self {
        Self { ports: ports.clone(), live: Live::new(), carriers: carriers.into(), written: Arc::default() }
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
        self.written.notify_one();
    }
}
