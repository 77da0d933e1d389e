//! Fills in the orders of the seeded world, with their lines, shipments, returns, timelines and checkouts.

use std::time::Duration;

use ::seed::{SeedOrder, SeedOrderStatus, World};
use common::{Fault, Timestamp};
use database::Tx;
use events::calls::cart::PostalAddress;
use sea_orm::ActiveValue::{NotSet, Set};
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::{
    self, CheckoutRefusal, CheckoutState, FulfillmentStatus, LineQuantities, OrderStatus, PaymentFigures,
    ReturnStatus, financial_status, fulfillment_status,
};
use crate::entity::{
    checkout_attempt, fulfillment, fulfillment_line, order, order_event, order_line, order_return,
    return_line,
};

/// Orders of one transaction.
const CHUNK: u32 = 500;
/// How long after the order things happened.
const PACKING: Duration = Duration::from_mins(40);
const DELIVERY: Duration = Duration::from_mins(70);
const RETURNING: Duration = Duration::from_mins(100);
const CHECKOUT: Duration = Duration::from_mins(15);

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    world.orders.into()
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "orders", world.orders, CHUNK, progress, move |tx, rows| {
        Box::pin(async move {
            let orders: Vec<SeedOrder> = rows.map(|number| world.order(number)).collect();
            write(tx, &orders).await
        })
    })
    .await
}

async fn write(tx: &Tx, seeded: &[SeedOrder]) -> Result<(), Fault> {
    let (mut orders, mut lines, mut events, mut attempts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut shipments, mut shipped, mut returns, mut returned) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in seeded {
        let order_lines: Vec<order_line::Model> =
            (0..one.lines.len()).map(|place| line(one, place)).collect();
        let order = order_row(one, &order_lines)?;
        events.extend(timeline(one, &order));
        attempts.push(checkout_attempt::ActiveModel::from(attempt(one)?));
        if order_lines.iter().any(|line| line.fulfilled > 0) {
            shipments.push(fulfillment::ActiveModel::from(shipment(one)));
            shipped.extend(order_lines.iter().filter(|line| line.fulfilled > 0).map(|line| {
                fulfillment_line::ActiveModel::from(fulfillment_line::Model {
                    fulfillment_id: one.fulfillment,
                    order_line_id: line.id,
                    quantity: line.fulfilled,
                })
            }));
        }
        if one.status == SeedOrderStatus::Returned {
            returns.push(order_return::ActiveModel::from(order_return::Model {
                id: one.returned,
                order_id: one.id,
                status: ReturnStatus::Closed,
                reason: Some("It does not fit.".to_owned()),
                created_at: one.placed_at.plus(RETURNING),
            }));
            returned.extend(order_lines.iter().filter(|line| line.returned > 0).map(|line| {
                return_line::ActiveModel::from(return_line::Model {
                    return_id: one.returned,
                    order_line_id: line.id,
                    quantity: line.returned,
                })
            }));
        }
        orders.push(order::ActiveModel::from(order));
        lines.extend(order_lines.into_iter().map(order_line::ActiveModel::from));
    }
    insert(tx, orders).await?;
    insert(tx, lines).await?;
    insert(tx, events).await?;
    insert(tx, attempts).await?;
    insert(tx, shipments).await?;
    insert(tx, shipped).await?;
    insert(tx, returns).await?;
    insert(tx, returned).await
}

/// What became of the order in our own words.
const fn status(seeded: SeedOrderStatus) -> OrderStatus {
    match seeded {
        SeedOrderStatus::Pending => OrderStatus::Pending,
        SeedOrderStatus::Confirmed => OrderStatus::Confirmed,
        SeedOrderStatus::Processing => OrderStatus::Processing,
        SeedOrderStatus::Completed | SeedOrderStatus::Returned => OrderStatus::Completed,
        SeedOrderStatus::Cancelled => OrderStatus::Cancelled,
        SeedOrderStatus::Expired => OrderStatus::Expired,
    }
}

/// A line, with how much of it was sent, came back or was called off. The first line is the one that is sent alone, and
/// the one that comes back.
fn line(seeded: &SeedOrder, place: usize) -> order_line::Model {
    let line = &seeded.lines[place];
    let first = place == 0;
    let (fulfilled, returned, cancelled) = match seeded.status {
        SeedOrderStatus::Pending | SeedOrderStatus::Confirmed | SeedOrderStatus::Expired => (0, 0, 0),
        SeedOrderStatus::Processing if first && seeded.lines.len() > 1 => (line.quantity, 0, 0),
        SeedOrderStatus::Processing if first => (line.quantity / 2, 0, 0),
        SeedOrderStatus::Processing => (0, 0, 0),
        SeedOrderStatus::Returned if first => (line.quantity, line.quantity, 0),
        SeedOrderStatus::Completed | SeedOrderStatus::Returned => (line.quantity, 0, 0),
        SeedOrderStatus::Cancelled => (0, 0, line.quantity),
    };
    order_line::Model {
        id: line.id,
        order_id: seeded.id,
        position: i32::try_from(place).unwrap_or(i32::MAX),
        cart_line_id: None,
        variant_id: line.variant,
        product_id: line.product,
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        fulfilled,
        returned,
        cancelled,
        currency: seeded.currency,
        unit_price: line.unit_price.minor,
        discount: 0,
        tax: 0,
        total: line.total.minor,
    }
}

/// The state of the payment as `payments` seeds it, and how it stands.
fn payment(seeded: &SeedOrder) -> (&'static str, PaymentFigures) {
    let total = seeded.total.minor;
    let figures = |authorized, captured, refunded| PaymentFigures {
        authorized,
        captured,
        refunded,
        ..PaymentFigures::default()
    };
    match seeded.status {
        SeedOrderStatus::Pending => ("REQUIRES_ACTION", figures(0, 0, 0)),
        SeedOrderStatus::Confirmed => ("AUTHORIZED", figures(total, 0, 0)),
        SeedOrderStatus::Processing | SeedOrderStatus::Completed => ("CAPTURED", figures(0, total, 0)),
        SeedOrderStatus::Returned => ("CAPTURED", figures(0, total, seeded.lines[0].total.minor)),
        // Half of the cancelled ones were paid for.
        SeedOrderStatus::Cancelled if seeded.number % 40 == 2 => {
            ("VOIDED", PaymentFigures { voided: true, ..figures(0, 0, 0) })
        }
        SeedOrderStatus::Cancelled => ("CAPTURED", figures(0, total, total)),
        SeedOrderStatus::Expired => ("FAILED", figures(0, 0, 0)),
    }
}

fn order_row(seeded: &SeedOrder, lines: &[order_line::Model]) -> Result<order::Model, Fault> {
    let status = status(seeded.status);
    let (payment_state, figures) = payment(seeded);
    let quantities: Vec<LineQuantities> = lines.iter().map(order_line::Model::quantities).collect();
    let delivered = status == OrderStatus::Completed;
    let placed = !matches!(seeded.status, SeedOrderStatus::Pending | SeedOrderStatus::Expired);
    Ok(order::Model {
        id: seeded.id,
        number: domain::number(seeded.id, 0),
        version: i32::try_from(changes(seeded.status).len()).unwrap_or(i32::MAX) + 1,
        status,
        financial_status: financial_status(seeded.total.minor, figures),
        fulfillment_status: fulfillment_status(&quantities, delivered),
        cart_id: Some(seeded.cart),
        customer_id: seeded.customer.as_ref().map(|customer| customer.id),
        email: seeded.email.clone(),
        locale: seeded.recipient.locale.to_owned(),
        currency: seeded.currency,
        subtotal: seeded.subtotal.minor,
        discount: 0,
        shipping: seeded.shipping.minor,
        tax: 0,
        tax_included: true,
        total: seeded.total.minor,
        delivery_option: "standard".to_owned(),
        shipping_address: Some(address(seeded)?),
        billing_address: None,
        guest_token_hash: None,
        payment_state: Some(payment_state.to_owned()),
        payment_version: 0,
        authorized: figures.authorized,
        captured: figures.captured,
        refunded: figures.refunded,
        cancel_reason: (status == OrderStatus::Cancelled).then(|| "Changed my mind.".to_owned()),
        unwind_at: None,
        created_at: seeded.placed_at,
        placed_at: placed.then_some(seeded.placed_at),
    })
}

fn address(seeded: &SeedOrder) -> Result<String, Fault> {
    let address = &seeded.recipient.address;
    let written = PostalAddress {
        recipient: address.recipient.clone(),
        line1: address.line1.clone(),
        line2: None,
        city: address.city.to_owned(),
        region: address.region.map(str::to_owned),
        postal_code: address.postal_code.to_owned(),
        country: address.country.to_owned(),
        phone: None,
    };
    serde_json::to_string(&written).map_err(Fault::internal)
}

/// The changes of state that the order went through, and how long after it was placed.
fn changes(seeded: SeedOrderStatus) -> Vec<(&'static str, OrderStatus, Duration)> {
    let confirmed = ("ORDER_CONFIRMED", OrderStatus::Confirmed, Duration::from_secs(2));
    let sent = ("ORDER_FULFILLED", OrderStatus::Processing, PACKING);
    let completed = ("ORDER_COMPLETED", OrderStatus::Completed, DELIVERY);
    match seeded {
        SeedOrderStatus::Pending => vec![],
        SeedOrderStatus::Confirmed => vec![confirmed],
        SeedOrderStatus::Processing => vec![confirmed, sent],
        SeedOrderStatus::Completed | SeedOrderStatus::Returned => vec![confirmed, sent, completed],
        SeedOrderStatus::Cancelled => vec![confirmed, ("ORDER_CANCELLED", OrderStatus::Cancelled, PACKING)],
        SeedOrderStatus::Expired => vec![("ORDER_EXPIRED", OrderStatus::Expired, CHECKOUT)],
    }
}

fn timeline(seeded: &SeedOrder, order: &order::Model) -> Vec<order_event::ActiveModel> {
    let row = |kind: &str, at: Timestamp, from, to, actor| order_event::ActiveModel {
        seq: NotSet,
        order_id: Set(seeded.id),
        happened_at: Set(at),
        kind: Set(kind.to_owned()),
        from_status: Set(from),
        to_status: Set(to),
        actor: Set(actor),
    };
    let buyer = order.customer_id.map(|customer| customer.to_string());
    let mut events = vec![row("ORDER_CREATED", seeded.placed_at, None, None, buyer)];
    let mut before = OrderStatus::Pending;
    for (kind, after, later) in changes(seeded.status) {
        events.push(row(kind, seeded.placed_at.plus(later), Some(before), Some(after), None));
        before = after;
    }
    if seeded.status == SeedOrderStatus::Returned {
        events.push(row("RETURN_REQUESTED", seeded.placed_at.plus(RETURNING), None, None, None));
    }
    events
}

fn shipment(seeded: &SeedOrder) -> fulfillment::Model {
    let arrived = matches!(seeded.status, SeedOrderStatus::Completed | SeedOrderStatus::Returned);
    let number = format!("DEMO{:010}", seeded.number);
    fulfillment::Model {
        id: seeded.fulfillment,
        order_id: seeded.id,
        status: if arrived { FulfillmentStatus::Delivered } else { FulfillmentStatus::Fulfilled },
        carrier: Some("Demo Post".to_owned()),
        tracking_url: Some(format!("https://tracking.example.com/{number}")),
        tracking_number: Some(number),
        shipped_at: Some(seeded.placed_at.plus(PACKING)),
    }
}

/// The checkout that made the order. Nothing is left to do in any of them, so no worker takes them up.
fn attempt(seeded: &SeedOrder) -> Result<checkout_attempt::Model, Fault> {
    let (state, refusal) = match seeded.status {
        SeedOrderStatus::Pending => (CheckoutState::ActionRequired, None),
        SeedOrderStatus::Expired => (CheckoutState::Failed, Some(CheckoutRefusal::Expired)),
        _ => (CheckoutState::Confirmed, None),
    };
    let refusal = refusal.as_ref().map(serde_json::to_string).transpose().map_err(Fault::internal)?;
    Ok(checkout_attempt::Model {
        id: seeded.attempt,
        scope: format!("seed {}", seeded.attempt),
        request_hash: String::new(),
        cart_id: seeded.cart,
        buyer_id: seeded.customer.as_ref().map(|customer| customer.id),
        order_id: seeded.id,
        state,
        version: 1,
        driven: false,
        due_at: None,
        tries: 0,
        cart_version: 1,
        currency: seeded.currency,
        expected_total: seeded.total.minor,
        payment_token: None,
        return_url: None,
        action_reason: (state == CheckoutState::ActionRequired)
            .then(|| "Confirm the payment at your bank.".to_owned()),
        refusal,
        created_at: seeded.placed_at,
        expires_at: seeded.placed_at.plus(CHECKOUT),
    })
}
