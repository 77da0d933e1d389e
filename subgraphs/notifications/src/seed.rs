//! Fills notifications with the seeded world: where to write to people, what articles are called, and what buyers were
//! told of their orders.

use std::collections::BTreeMap;
use std::time::Duration;

use ::seed::{PRESENT, SeedOrder, SeedOrderStatus, World};
use common::id::NotificationId;
use common::{Fault, Timestamp};
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::template::{Occasion, text};
use crate::domain::{Channel, DeliveryState, Topic};
use crate::entity::{article, contact, notification};

/// What is older than this has been read.
const UNREAD: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    u64::from(world.users) + u64::from(world.products) + u64::from(world.orders)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "contacts", world.users, 1_000, progress, move |tx, rows| {
        Box::pin(async move {
            let contacts = rows.map(|number| {
                let user = world.user(number);
                let locale = user.locale.to_owned();
                contact::ActiveModel::from(contact::Model { user_id: user.id, email: user.email, locale })
            });
            insert(tx, contacts.collect()).await
        })
    })
    .await?;
    part(ports, "articles", world.products, 200, progress, move |tx, rows| {
        Box::pin(async move {
            let mut articles = Vec::new();
            for number in rows {
                let product = world.product(number);
                for variant in &product.variants {
                    let named = |title: &str| article::name(title, &variant.title, product.variants.len());
                    let titles = product.texts.iter().map(|(locale, title, _)| (*locale, named(title)));
                    let titles: BTreeMap<&str, String> = titles.collect();
                    let titles = serde_json::to_string(&titles).map_err(Fault::internal)?;
                    let article = article::Model { variant_id: variant.id, version: 1, titles };
                    articles.push(article::ActiveModel::from(article));
                }
            }
            insert(tx, articles).await
        })
    })
    .await?;
    part(ports, "messages", world.orders, 500, progress, move |tx, rows| {
        Box::pin(async move {
            let messages = rows.flat_map(|number| messages(&world.order(number)));
            insert(tx, messages.map(notification::ActiveModel::from).collect()).await
        })
    })
    .await
}

/// What the buyer was told: by mail when the order was placed, and in the shop how it stands.
fn messages(order: &SeedOrder) -> Vec<notification::Model> {
    let number = order.reference.as_str();
    let confirmed = (Topic::Order, "confirmed", Occasion::OrderConfirmed { number, total: order.total });
    let stands = match order.status {
        SeedOrderStatus::Pending | SeedOrderStatus::Expired => return Vec::new(),
        SeedOrderStatus::Confirmed => confirmed,
        SeedOrderStatus::Cancelled => (Topic::Order, "cancelled", Occasion::OrderCancelled { number }),
        SeedOrderStatus::Processing => {
            (Topic::Shipping, "fulfilled:0", Occasion::OrderShipped { number, tracking_url: None })
        }
        SeedOrderStatus::Completed | SeedOrderStatus::Returned => {
            (Topic::Shipping, "completed", Occasion::OrderDelivered { number })
        }
    };
    let mut messages = vec![message(order, Channel::Email, DeliveryState::Sent, confirmed)];
    if order.customer.is_some() {
        messages.push(message(order, Channel::InApp, DeliveryState::Delivered, stands));
    }
    messages
}

fn message(
    order: &SeedOrder,
    channel: Channel,
    state: DeliveryState,
    (topic, step, occasion): (Topic, &str, Occasion<'_>),
) -> notification::Model {
    let customer = order.customer.as_ref().map(|customer| customer.id);
    let locale = order.recipient.locale;
    let words = text(occasion, locale);
    let recipient = match (channel, customer) {
        (Channel::InApp, Some(customer)) => customer.to_string(),
        _ => order.email.clone(),
    };
    notification::Model {
        id: id(order, channel),
        user_id: customer,
        order_id: Some(order.id),
        variant_id: None,
        topic,
        channel,
        cause: format!("order:{}:{step}", order.id),
        recipient,
        locale: locale.to_owned(),
        title: words.title,
        body: words.body,
        confidential: None,
        state,
        attempts: 1,
        next_try_at: order.placed_at,
        read_at: read_at(order.placed_at),
        created_at: order.placed_at,
    }
}

fn read_at(written_at: Timestamp) -> Option<Timestamp> {
    (written_at < PRESENT.minus(UNREAD)).then(|| written_at.plus(Duration::from_secs(3_600)))
}

/// The id of the order with its last byte changed: one for each channel, and the same at every run.
fn id(order: &SeedOrder, channel: Channel) -> NotificationId {
    let mut bytes = *order.id.uuid().as_bytes();
    bytes[15] ^= if channel == Channel::Email { 1 } else { 2 };
    NotificationId::from_uuid(uuid::Uuid::from_bytes(bytes))
}
