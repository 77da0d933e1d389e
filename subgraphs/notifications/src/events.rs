//! What notifications hear, and whom they tell of it.

use std::collections::BTreeMap;

use common::Fault;
use database::Tx;
use events::Event as _;
use events::inventory::InventoryEvent;
use events::orders::{OrderChange, OrdersEvent};
use events::products::{ProductSnapshot, ProductsEvent};
use events::users::UsersEvent;
use messaging::{Consumer, Envelope};

use crate::domain::Topic;
use crate::domain::template::{Occasion, password_token};
use crate::entity::{article, contact};
use crate::service::{Notifications, Telling};

const TOPICS: &[&str] = &[OrdersEvent::TOPIC, UsersEvent::TOPIC, InventoryEvent::TOPIC, ProductsEvent::TOPIC];

/// What is done with each event.
pub fn consumer(notifications: &Notifications) -> Consumer {
    let (hearing, waking) = (notifications.clone(), notifications.clone());
    Consumer::new(TOPICS, move |tx, envelope| {
        let notifications = hearing.clone();
        Box::pin(async move { hear(&notifications, tx, envelope).await })
    })
    .after(move |envelopes| {
        for envelope in envelopes {
            waking.hear_of(&envelope.key);
        }
        waking.wake();
    })
}

async fn hear(notifications: &Notifications, tx: &Tx, envelope: &Envelope) -> Result<(), Fault> {
    if let Some(event) = envelope.of::<OrdersEvent>()? {
        return of_order(notifications, tx, &event).await;
    }
    if let Some(event) = envelope.of::<UsersEvent>()? {
        return of_user(notifications, tx, envelope, event).await;
    }
    if let Some(event) = envelope.of::<InventoryEvent>()? {
        return match event.available {
            true => notifications.tell_waiting(tx, event.variant).await,
            false => Ok(()),
        };
    }
    match envelope.of::<ProductsEvent>()? {
        Some(ProductsEvent::ProductChanged(product)) => article::keep(tx, articles(&product)?).await,
        Some(ProductsEvent::ReviewCreated { .. }) | None => Ok(()),
    }
}

async fn of_order(notifications: &Notifications, tx: &Tx, event: &OrdersEvent) -> Result<(), Fault> {
    let order = &event.order;
    let number = order.number.as_str();
    let (topic, step, occasion) = match event.change {
        OrderChange::Confirmed => {
            (Topic::Order, "confirmed".to_owned(), Occasion::OrderConfirmed { number, total: order.total })
        }
        OrderChange::Cancelled => (Topic::Order, "cancelled".to_owned(), Occasion::OrderCancelled { number }),
        // An order may be sent in several parcels.
        OrderChange::Fulfilled => {
            let tracking_url = order.tracking_url.as_deref();
            let step = format!("fulfilled:{}", order.version);
            (Topic::Shipping, step, Occasion::OrderShipped { number, tracking_url })
        }
        OrderChange::Completed => {
            (Topic::Shipping, "completed".to_owned(), Occasion::OrderDelivered { number })
        }
    };
    let telling = Telling {
        user: order.customer,
        email: order.email.clone(),
        locale: order.locale.clone(),
        topic,
        cause: format!("order:{}:{step}", order.id),
        occasion,
        order: Some(order.id),
        variant: None,
        confidential: None,
    };
    notifications.tell(tx, vec![telling]).await
}

async fn of_user(
    notifications: &Notifications,
    tx: &Tx,
    envelope: &Envelope,
    event: UsersEvent,
) -> Result<(), Fault> {
    let (user, email, locale, occasion, confidential) = match event {
        UsersEvent::UserRegistered { user, email, locale } => (user, email, locale, Occasion::Welcome, None),
        UsersEvent::PasswordResetRequested { user, email, locale, token, .. } => {
            let confidential = Some(password_token(&token, &locale));
            (user, email, locale, Occasion::PasswordReset, confidential)
        }
    };
    let known = contact::Model { user_id: user, email: email.clone(), locale: locale.clone() };
    contact::keep(tx, known).await?;
    let telling = Telling {
        user: Some(user),
        email,
        locale,
        topic: Topic::Security,
        cause: format!("users:{}", envelope.id),
        occasion,
        order: None,
        variant: None,
        confidential,
    };
    notifications.tell(tx, vec![telling]).await
}

fn articles(product: &ProductSnapshot) -> Result<Vec<article::Model>, Fault> {
    let of = |variant: &events::products::VariantSnapshot| {
        let named = |title: &str| article::name(title, &variant.title, product.variants.len());
        let titles: BTreeMap<&str, String> =
            product.titles.iter().map(|title| (title.locale.as_str(), named(&title.text))).collect();
        let titles = serde_json::to_string(&titles).map_err(Fault::internal)?;
        Ok(article::Model { variant_id: variant.id, version: product.version, titles })
    };
    product.variants.iter().map(of).collect()
}
