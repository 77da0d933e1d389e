//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use common::Fault;
use common::id::{NotificationId, OrderId, WebhookId};
use database::Loader;

use super::part;
use crate::domain::access::Reach;
use crate::entity::{notification, webhook};
use crate::service::Notifications;

/// The loaders of one request.
pub struct Loaders {
    /// Notifications within a reach.
    pub notifications: Loader<(Reach, NotificationId), Arc<notification::Model>>,
    /// What was written about an order, within a reach.
    pub of_orders: Loader<(Reach, OrderId), Vec<Arc<notification::Model>>>,
    /// Endpoints; the caller has checked that the viewer may see them.
    pub webhooks: Loader<WebhookId, Arc<webhook::Model>>,
}

impl Loaders {
    /// Fresh loaders over notifications.
    pub fn new(notifications: &Notifications) -> Self {
        let database = || notifications.ports.database.clone();
        let (one, two, three) = (database(), database(), database());
        Self {
            notifications: Loader::new(move |keys| {
                let database = one.clone();
                async move {
                    let mut found = HashMap::new();
                    for (reach, ids) in by_reach(keys) {
                        let rows = notification::by_ids(database.read(), reach, ids).await?;
                        found.extend(rows.into_iter().map(|row| ((reach, row.id), Arc::new(row))));
                    }
                    Ok(found)
                }
            }),
            of_orders: Loader::new(move |keys| {
                let database = two.clone();
                async move {
                    let mut found: HashMap<_, Vec<Arc<notification::Model>>> = HashMap::new();
                    for (reach, orders) in by_reach(keys) {
                        for row in notification::of_orders(database.read(), reach, orders).await? {
                            if let Some(order) = row.order_id {
                                found.entry((reach, order)).or_default().push(Arc::new(row));
                            }
                        }
                    }
                    Ok(found)
                }
            }),
            webhooks: Loader::new(move |ids| {
                let database = three.clone();
                async move {
                    let rows = webhook::by_ids(database.read(), ids).await?;
                    Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
                }
            }),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}

/// A request has one viewer, so this is one group nearly always.
fn by_reach<K>(keys: Vec<(Reach, K)>) -> HashMap<Reach, Vec<K>> {
    let mut groups: HashMap<Reach, Vec<K>> = HashMap::new();
    for (reach, key) in keys {
        groups.entry(reach).or_default().push(key);
    }
    groups
}
