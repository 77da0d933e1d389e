//! What can be watched.

use async_graphql::{Context, Result, Subscription as Watch};
use futures::{Stream, StreamExt as _};
use subgraph::graphql::{Authenticated, authenticated, viewer};

use super::notification::Notification;
use super::part;
use crate::domain::access::Reach;
use crate::entity::notification;
use crate::service::Notifications;

/// Where watching begins.
pub struct Subscription;

/// Where watching begins.
#[Watch]
impl Subscription {
    /// Each message to the viewer in the shop, when it comes.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn notification_received(
        &self,
        context: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Notification>> + use<>> {
        let me = viewer(context).require_user()?;
        let notifications = part::<Notifications>(context)?.clone();
        let arrivals = notifications.live.watch(move |(user, _)| *user == me);
        Ok(arrivals.filter_map(move |(_, id)| {
            let database = notifications.ports.database.clone();
            async move {
                match notification::by_ids(database.read(), Reach::Own(me), vec![id]).await {
                    Ok(mut found) => found.pop().map(|row| Ok(Notification::from(row))),
                    Err(fault) => Some(Err(fault.into())),
                }
            }
        }))
    }
}
