//! What search hears: products, ratings, stock and sales.

use std::collections::HashSet;

use common::id::ProductId;
use common::{Fault, Timestamp};
use database::Tx;
use events::Event as _;
use events::inventory::InventoryEvent;
use events::orders::{OrderChange, OrderSnapshot, OrdersEvent};
use events::products::ProductsEvent;
use messaging::{Consumer, Envelope};

use crate::entity::{co_purchase, document, revision, sales_point, stock};
use crate::service::{Finder, keep_words};

const TOPICS: &[&str] = &[ProductsEvent::TOPIC, InventoryEvent::TOPIC, OrdersEvent::TOPIC];
const HOUR_US: i64 = 3_600_000_000;

/// What is done with each event; what a search engine and its stand-in need only where one is followed.
pub fn consumer(finder: &Finder) -> Consumer {
    let finder = finder.clone();
    let followed = finder.follower().is_some();
    Consumer::new(TOPICS, move |tx, envelope| Box::pin(take(tx, envelope, followed)))
        .after(move |events| finder.changed(events.iter().flat_map(touched).collect()))
}

async fn take(tx: &Tx, envelope: &Envelope, followed: bool) -> Result<(), Fault> {
    apply(tx, envelope, followed).await?;
    if followed {
        revision::raise(tx, touched(envelope)).await?;
    }
    Ok(())
}

async fn apply(tx: &Tx, envelope: &Envelope, followed: bool) -> Result<(), Fault> {
    if let Some(event) = envelope.of::<ProductsEvent>()? {
        match event {
            ProductsEvent::ProductChanged(product) => {
                if document::keep(tx, &product).await? && followed {
                    keep_words(tx, &product).await?;
                }
            }
            ProductsEvent::ReviewCreated { product, average_hundredths, count, .. } => {
                document::rate(tx, product, average_hundredths, count).await?;
            }
        }
    } else if let Some(event) = envelope.of::<InventoryEvent>()? {
        let row = stock::Model {
            variant_id: event.variant,
            product_id: event.product,
            available: event.available,
            as_of: event.as_of,
        };
        stock::keep(tx, row).await?;
    } else if let Some(order) = confirmed(envelope)? {
        sold(tx, &order).await?;
    }
    Ok(())
}

/// The order, where it was confirmed; what becomes of it later is of no interest here.
fn confirmed(envelope: &Envelope) -> Result<Option<OrderSnapshot>, Fault> {
    let event = envelope.of::<OrdersEvent>()?;
    Ok(event.filter(|event| event.change == OrderChange::Confirmed).map(|event| event.order))
}

async fn sold(tx: &Tx, order: &OrderSnapshot) -> Result<(), Fault> {
    let mut units = 0;
    for line in &order.lines {
        document::sell(tx, line.product, line.quantity.into()).await?;
        units += i64::from(line.quantity);
    }
    co_purchase::count(tx, pairs(order.lines.iter().map(|line| line.product))).await?;
    let point = sales_point::Model {
        hour: hour_of(order.placed_at),
        currency: order.total.currency,
        orders: 1,
        units,
        gross_minor: order.total.minor,
    };
    Ok(sales_point::add(tx, vec![point]).await?)
}

/// All ordered pairs of different products of one order.
pub(crate) fn pairs(products: impl Iterator<Item = ProductId>) -> Vec<(ProductId, ProductId, i64)> {
    let distinct: HashSet<ProductId> = products.collect();
    let mut distinct: Vec<ProductId> = distinct.into_iter().collect();
    distinct.sort();
    let all = distinct.iter().flat_map(|one| distinct.iter().map(move |other| (*one, *other, 1)));
    all.filter(|(one, other, _)| one != other).collect()
}

/// The full hour that a time lies in.
pub(crate) fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(HOUR_US) * HOUR_US)
}

/// The products that an event says something new of.
fn touched(envelope: &Envelope) -> Vec<ProductId> {
    if let Ok(Some(event)) = envelope.of::<ProductsEvent>() {
        return match event {
            ProductsEvent::ProductChanged(product) => vec![product.id],
            ProductsEvent::ReviewCreated { product, .. } => vec![product],
        };
    }
    if let Ok(Some(event)) = envelope.of::<InventoryEvent>() {
        return vec![event.product];
    }
    match confirmed(envelope) {
        Ok(Some(order)) => order.lines.iter().map(|line| line.product).collect(),
        _ => Vec::new(),
    }
}
