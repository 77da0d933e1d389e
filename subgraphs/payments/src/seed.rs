//! Fills payments with the seeded world: one payment for every order that got as far, in the state that fits.

use std::time::Duration;

use ::seed::{SeedOrder, SeedOrderStatus, World};
use common::id::{GiftCardId, PaymentMethodId, TransactionId};
use common::{Currency, Fault, Id, Timestamp};
use database::Tx;
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::{PaymentState, RefundState, TransactionKind, TransactionState};
use crate::entity::{gift_card, payable_order, payment, payment_method, refund, transaction};
use crate::service::code_digest;

/// Codes of the seeded gift cards; the first belongs to the first demo user.
pub const GIFT_CARDS: [(&str, i64, Currency); 3] = [
    ("GIFT-DEMO-2026-USD1", 5_000, Currency::USD),
    ("GIFT-DEMO-2026-EUR1", 2_500, Currency::EUR),
    ("GIFT-DEMO-2026-NONE", 0, Currency::USD),
];

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    1 + u64::from(world.users) + u64::from(world.orders)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "gift cards", 1, 1, progress, move |tx, _| Box::pin(gift_cards(tx, world))).await?;
    part(ports, "methods", world.users, 1_000, progress, move |tx, users| {
        Box::pin(async move {
            // Every third user keeps a card, the demo users all do.
            let keep = users.filter(|user| *user < 6 || user % 3 == 0);
            insert(
                tx,
                keep.map(|user| method(&world, user).into()).collect::<Vec<payment_method::ActiveModel>>(),
            )
            .await
        })
    })
    .await?;
    part(ports, "payments", world.orders, 500, progress, move |tx, orders| {
        Box::pin(async move {
            let orders: Vec<SeedOrder> = orders.map(|number| world.order(number)).collect();
            payments(tx, &orders).await
        })
    })
    .await
}

async fn gift_cards(tx: &Tx, world: World) -> Result<(), Fault> {
    let rows = GIFT_CARDS.iter().zip(0u8..).map(|((code, balance, currency), place)| {
        let id: GiftCardId = Id::stable(::seed::PRESENT.millis().unsigned_abs(), [place; 10]);
        gift_card::ActiveModel::from(gift_card::Model {
            id,
            code_digest: code_digest(code),
            last4: code[code.len() - 4..].to_owned(),
            user_id: (place == 0).then(|| world.user_id(0)),
            currency: *currency,
            balance: *balance,
            expires_at: None,
        })
    });
    insert(tx, rows.collect()).await
}

fn method(world: &World, user: u32) -> payment_method::Model {
    let user = world.user(user);
    // The same 128 bits as the user's id: one card each, the same at every seeding.
    let id: PaymentMethodId = Id::from_uuid(user.id.uuid());
    let brands = [("visa", "4242"), ("mastercard", "4444"), ("amex", "0005")];
    let (brand, last4) = brands[user.number as usize % brands.len()];
    payment_method::Model {
        id,
        user_id: user.id,
        kind: "card".to_owned(),
        brand: Some(brand.to_owned()),
        last4: Some(last4.to_owned()),
        exp_month: i32::try_from(user.number % 12 + 1).ok(),
        exp_year: Some(2030),
        token: "tok_approve".to_owned(),
        created_at: user.created_at,
    }
}

async fn payments(tx: &Tx, orders: &[SeedOrder]) -> Result<(), Fault> {
    let (mut known, mut payments, mut transactions, mut refunds) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for order in orders {
        let written = Written::of(order);
        let cancelled = matches!(order.status, SeedOrderStatus::Cancelled | SeedOrderStatus::Expired);
        known.push(payable_order::ActiveModel::from(payable_order::Model { order_id: order.id, cancelled }));
        transactions.extend(written.transactions.into_iter().map(transaction::ActiveModel::from));
        refunds.extend(written.refund.map(refund::ActiveModel::from));
        payments.push(payment::ActiveModel::from(written.payment));
    }
    insert(tx, known).await?;
    insert(tx, payments).await?;
    insert(tx, transactions).await?;
    insert(tx, refunds).await
}

/// What is written of one order.
struct Written {
    payment: payment::Model,
    transactions: Vec<transaction::Model>,
    refund: Option<refund::Model>,
}

impl Written {
    fn of(order: &SeedOrder) -> Self {
        let total = order.total.minor;
        let (state, authorized, captured, refunded) = match order.status {
            SeedOrderStatus::Pending => (PaymentState::RequiresAction, 0, 0, 0),
            SeedOrderStatus::Confirmed => (PaymentState::Authorized, total, 0, 0),
            SeedOrderStatus::Processing | SeedOrderStatus::Completed => {
                (PaymentState::Captured, total, total, 0)
            }
            SeedOrderStatus::Returned => (PaymentState::Captured, total, total, order.lines[0].total.minor),
            // Half of the cancelled ones were paid for.
            SeedOrderStatus::Cancelled if order.number % 40 == 2 => (PaymentState::Voided, 0, 0, 0),
            SeedOrderStatus::Cancelled => (PaymentState::Captured, total, total, total),
            SeedOrderStatus::Expired => (PaymentState::Failed, 0, 0, 0),
        };
        let payment = payment_of(order, state, (authorized, captured, refunded));
        let refund = (refunded > 0).then(|| refund_of(order, refunded));
        let mut steps = vec![(TransactionKind::Authorize, total)];
        match state {
            PaymentState::Captured => steps.push((TransactionKind::Capture, captured)),
            PaymentState::Voided => steps.push((TransactionKind::Void, total)),
            _ => {}
        }
        steps.extend(refund.as_ref().map(|refund| (TransactionKind::Refund, refund.amount)));
        let transactions = steps.iter().zip(0u8..).map(|((kind, amount), place)| {
            let refund = refund.as_ref().filter(|_| *kind == TransactionKind::Refund);
            transaction_of(order, &payment, *kind, *amount, place, refund)
        });
        Self { transactions: transactions.collect(), payment, refund }
    }
}

fn payment_of(
    order: &SeedOrder,
    state: PaymentState,
    (authorized, captured, refunded): (i64, i64, i64),
) -> payment::Model {
    let failed = state == PaymentState::Failed;
    let waits = state == PaymentState::RequiresAction;
    payment::Model {
        id: order.payment,
        version: 1,
        attempt_id: order.attempt,
        order_id: order.id,
        customer_id: order.customer.as_ref().map(|customer| customer.id),
        state,
        currency: order.currency,
        amount: order.total.minor,
        authorized,
        captured,
        refunded,
        capture_pending: 0,
        refund_pending: 0,
        cancelled: matches!(order.status, SeedOrderStatus::Cancelled | SeedOrderStatus::Expired),
        method: "card".to_owned(),
        last4: Some("4242".to_owned()),
        token: if waits { "tok_action" } else { "tok_approve" }.to_owned(),
        return_url: None,
        reference: Some(format!("ch_seed_{}", order.number)),
        action_reason: waits.then(|| "Your bank wants to make sure that it is you.".to_owned()),
        client_secret: waits.then(|| format!("secret_seed_{}", order.number)),
        redirect_url: waits.then(|| format!("https://bank.test-provider.invalid/confirm/{}", order.number)),
        failure: failed.then(|| "The payment was cancelled.".to_owned()),
        failure_retryable: false,
        method_invalid: false,
        created_at: order.placed_at,
        updated_at: order.placed_at,
    }
}

fn refund_of(order: &SeedOrder, amount: i64) -> refund::Model {
    let returned = order.status == SeedOrderStatus::Returned;
    let reason = if returned { "It came back." } else { "The order was cancelled." };
    refund::Model {
        id: order.refund,
        payment_id: order.payment,
        customer_id: order.customer.as_ref().map(|customer| customer.id),
        return_id: returned.then_some(order.returned),
        state: RefundState::Succeeded,
        amount,
        currency: order.currency,
        reason: Some(reason.to_owned()),
        created_at: later(order, 2),
    }
}

fn transaction_of(
    order: &SeedOrder,
    payment: &payment::Model,
    kind: TransactionKind,
    amount: i64,
    place: u8,
    refund: Option<&refund::Model>,
) -> transaction::Model {
    let state = match payment.state {
        PaymentState::RequiresAction => TransactionState::Pending,
        PaymentState::Failed => TransactionState::Failed,
        _ => TransactionState::Succeeded,
    };
    // The payment's bits and the place: distinct, and the same at every seeding.
    let mut bits = *order.payment.uuid().as_bytes();
    bits[15] = bits[15].wrapping_add(place);
    let id: TransactionId = Id::stable(
        order.placed_at.millis().unsigned_abs(),
        [bits[6], bits[7], bits[8], bits[9], bits[10], bits[11], bits[12], bits[13], bits[14], bits[15]],
    );
    transaction::Model {
        id,
        payment_id: payment.id,
        kind,
        state,
        amount,
        idempotency_key: match kind {
            TransactionKind::Authorize => format!("attempt:{}", order.attempt),
            _ => format!("seed:{}", order.payment),
        },
        request_hash: String::new(),
        refund_id: refund.map(|refund| refund.id),
        reference: payment.reference.clone(),
        due_at: None,
        tries: 0,
        at: later(order, place),
    }
}

fn later(order: &SeedOrder, hours: u8) -> Timestamp {
    order.placed_at.plus(Duration::from_secs(u64::from(hours) * 3_600))
}
