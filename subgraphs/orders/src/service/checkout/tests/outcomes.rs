//! What a checkout comes to: an order that is paid, a refusal that holds nothing, or the end of its time.

use auth::Viewer;
use common::id::UserId;
use common::{Currency, Money};

use super::Bench;
use super::peers::Hold;
use crate::domain::{CheckoutRefusal, CheckoutState, FinancialStatus, OrderStatus, RequestRefusal};
use crate::entity::order_event;
use crate::service::checkout::{CheckoutRequest, LIFETIME};

#[tokio::test]
async fn a_checkout_makes_a_paid_order_of_a_cart_in_few_statements() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(2);
    let request = bench.request(cart, "tok_approve");
    let (progress, statements) =
        database::statements::counted(true, bench.complete("key-of-a-buyer", &request)).await;
    assert!(statements.count <= 15, "{} statements: {:#?}", statements.count, statements.texts);
    assert_eq!(progress.attempt.state, CheckoutState::Confirmed);
    let order = bench.order(progress.attempt.order_id).await;
    assert_eq!((order.status, order.financial_status), (OrderStatus::Confirmed, FinancialStatus::Paid));
    assert_eq!((order.total, order.captured, order.version), (5_000, 5_000, 2));
    {
        let world = bench.peers.world();
        assert_eq!(world.carts[&cart].ordered_by, Some(progress.attempt.id));
        assert_eq!((world.stock, world.charged, world.captured), (3, 1, 1));
        assert_eq!(world.holds[&order.id], Hold::Committed(2));
    }
    let stored = bench.attempt(progress.attempt.id).await;
    assert!(stored.is_finished() && stored.payment_token.is_none());
    let events = messaging::pending(&bench.ports.database).await.unwrap();
    assert_eq!(events.len(), 1);
    assert!(events[0].payload.contains("\"change\":\"Confirmed\""), "{}", events[0].payload);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused() {
    let bench = Bench::new(5).await;
    let request = bench.request(bench.peers.cart(1), "tok_approve");
    bench.complete("key-of-a-buyer", &request).await;
    let other = CheckoutRequest { payment_token: "tok_other".into(), ..request };
    let refused = bench.orders.complete_checkout(&Viewer::anonymous(), "key-of-a-buyer", &other).await;
    assert_eq!(refused.unwrap().unwrap_err(), RequestRefusal::KeyReused);
    assert_eq!(bench.peers.world().charged, 1);
}

#[tokio::test]
async fn what_a_cart_refuses_ends_the_attempt_with_nothing_held() {
    let bench = Bench::new(5).await;
    let (plain, empty) = (bench.peers.cart(1), bench.peers.cart(0));
    let good = bench.request(plain, "tok_approve");
    let current_total = Money::new(2_500, Currency::USD);
    let table = [
        (CheckoutRequest { cart: bench.ports.ids.next(), ..good.clone() }, CheckoutRefusal::CartNotFound),
        (
            bench.request(empty, "tok_approve"),
            CheckoutRefusal::CartIncomplete { message: "The cart is empty.".into() },
        ),
        (
            CheckoutRequest { cart_version: 2, ..good.clone() },
            CheckoutRefusal::CartChanged { current_version: 3 },
        ),
        (
            CheckoutRequest { expected_total: Money::new(1, Currency::USD), ..good.clone() },
            CheckoutRefusal::TotalMismatch { current_total, current_version: 3 },
        ),
    ];
    for (number, (request, refusal)) in table.into_iter().enumerate() {
        let progress = bench.complete(&format!("key-number-{number}"), &request).await;
        assert_eq!(progress.attempt.refusal().unwrap(), Some(refusal));
        assert_eq!((progress.attempt.state, progress.attempt.is_finished()), (CheckoutState::Failed, true));
    }
    let ordered = bench.complete("key-that-orders", &good).await;
    assert_eq!(ordered.attempt.state, CheckoutState::Confirmed);
    let again = bench.complete("key-too-late", &good).await;
    assert_eq!(again.attempt.refusal().unwrap(), Some(CheckoutRefusal::CartGone));
}

#[tokio::test]
async fn a_declined_payment_gives_stock_and_cart_back_and_another_try_goes_through() {
    let bench = Bench::new(1).await;
    let cart = bench.peers.cart(1);
    for (token, retryable) in [("tok_decline", true), ("tok_insufficient", false)] {
        let progress = bench.complete(token, &bench.request(cart, token)).await;
        let message = "The card was declined.".to_owned();
        let refusal = CheckoutRefusal::PaymentDeclined { message, retryable };
        assert_eq!(progress.attempt.refusal().unwrap(), Some(refusal));
        assert_eq!(progress.attempt.state, CheckoutState::Failed);
        assert_eq!(bench.order(progress.attempt.order_id).await.status, OrderStatus::Cancelled);
        assert_eq!(bench.peers.world().stock, 1);
        assert_eq!(bench.peers.world().carts[&cart].frozen_for, None);
    }
    let unknown = bench.complete("key-of-a-buyer", &bench.request(cart, "tok_unknown")).await;
    assert_eq!(unknown.attempt.refusal().unwrap(), Some(CheckoutRefusal::PaymentMethodInvalid));
    let paid = bench.complete("key-of-a-payer", &bench.request(cart, "tok_approve")).await;
    assert_eq!(paid.attempt.state, CheckoutState::Confirmed);
    // Nobody hears of an order that never was one.
    assert_eq!(messaging::pending(&bench.ports.database).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_payment_that_needs_the_buyer_goes_on_when_it_is_asked_for_again() {
    let bench = Bench::new(5).await;
    let request = bench.request(bench.peers.cart(1), "tok_action");
    let progress = bench.complete("key-of-a-buyer", &request).await;
    assert_eq!(progress.attempt.state, CheckoutState::ActionRequired);
    assert_eq!(progress.attempt.action_reason.as_deref(), Some("Confirm at your bank."));
    let again = bench.orders.poll_checkout(progress.attempt).await.unwrap();
    assert_eq!(again.attempt.state, CheckoutState::ActionRequired);
    bench.peers.world().settle_as = Some("AUTHORIZED");
    let done = bench.complete("key-of-a-buyer", &request).await;
    assert_eq!(done.attempt.state, CheckoutState::Confirmed);
    assert_eq!(bench.peers.world().charged, 1);
}

#[tokio::test]
async fn an_event_of_the_payment_has_the_worker_go_on_at_once() {
    let bench = Bench::new(5).await;
    let progress = bench.complete("a-buyers-key", &bench.request(bench.peers.cart(1), "tok_action")).await;
    bench.peers.world().settle_as = Some("AUTHORIZED");
    bench.orders.sweep().await.unwrap();
    assert_eq!(bench.attempt(progress.attempt.id).await.state, CheckoutState::ActionRequired, "not due yet");
    bench.hear(progress.attempt.order_id, 2, "AUTHORIZED", [2_500, 0, 0]).await;
    bench.orders.sweep().await.unwrap();
    assert_eq!(bench.attempt(progress.attempt.id).await.state, CheckoutState::Confirmed);
}

#[tokio::test]
async fn an_action_that_fails_declines_the_payment() {
    let bench = Bench::new(5).await;
    let request = bench.request(bench.peers.cart(1), "tok_action");
    bench.complete("key-of-a-buyer", &request).await;
    bench.peers.world().settle_as = Some("FAILED");
    let done = bench.complete("key-of-a-buyer", &request).await;
    assert!(matches!(done.attempt.refusal().unwrap(), Some(CheckoutRefusal::PaymentDeclined { .. })));
    assert_eq!(bench.peers.world().stock, 5);
}

#[tokio::test]
async fn an_attempt_that_runs_out_of_time_holds_nothing_and_its_order_expires() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(1);
    let progress = bench.complete("key-of-a-buyer", &bench.request(cart, "tok_action")).await;
    bench.ports.clock.advance(LIFETIME);
    bench.restart_and_sweep().await;
    let stored = bench.attempt(progress.attempt.id).await;
    assert_eq!((stored.state, stored.is_finished()), (CheckoutState::Failed, true));
    assert_eq!(stored.refusal().unwrap(), Some(CheckoutRefusal::Expired));
    assert_eq!(bench.order(stored.order_id).await.status, OrderStatus::Expired);
    let world = bench.peers.world();
    assert_eq!((world.stock, world.carts[&cart].frozen_for), (5, None));
    assert_eq!(world.payments[&stored.id].state, "VOIDED");
}

#[tokio::test]
async fn money_that_turns_up_for_an_expired_order_is_let_go() {
    let bench = Bench::new(5).await;
    let progress = bench.complete("key-of-a-buyer", &bench.request(bench.peers.cart(1), "tok_action")).await;
    let id = progress.attempt.order_id;
    bench.ports.clock.advance(LIFETIME);
    bench.orders.sweep().await.unwrap();
    bench.peers.world().payments.get_mut(&progress.attempt.id).unwrap().state = "AUTHORIZED";
    bench.hear(id, 3, "AUTHORIZED", [2_500, 0, 0]).await;
    assert!(bench.order(id).await.unwind_at.is_some());
    bench.orders.sweep().await.unwrap();
    assert_eq!(bench.peers.world().payments[&progress.attempt.id].state, "VOIDED");
    let order = bench.order(id).await;
    assert_eq!((order.status, order.unwind_at, order.authorized), (OrderStatus::Expired, None, 0));
}

#[tokio::test]
async fn stock_that_ran_out_before_it_was_committed_lets_the_money_go() {
    let bench = Bench::new(5).await;
    bench.peers.world().stock_runs_out = true;
    let cart = bench.peers.cart(1);
    let progress = bench.complete("key-of-a-buyer", &bench.request(cart, "tok_approve")).await;
    assert_eq!(progress.attempt.refusal().unwrap(), Some(CheckoutRefusal::StockLost));
    let world = bench.peers.world();
    assert_eq!(world.payments[&progress.attempt.id].state, "VOIDED");
    assert_eq!((world.captured, world.stock, world.carts[&cart].frozen_for), (0, 5, None));
}

#[tokio::test]
async fn late_and_repeated_events_of_a_payment_change_nothing() {
    let bench = Bench::new(5).await;
    let progress = bench.complete("key-of-a-buyer", &bench.request(bench.peers.cart(1), "tok_approve")).await;
    let id = progress.attempt.order_id;
    bench.hear(id, 2, "AUTHORIZED", [2_500, 0, 0]).await;
    assert_eq!(bench.order(id).await.financial_status, FinancialStatus::Paid, "the call told of more");
    bench.hear(id, 4, "CAPTURED", [0, 2_500, 1_000]).await;
    assert_eq!(bench.order(id).await.financial_status, FinancialStatus::PartiallyRefunded);
    bench.hear(id, 3, "CAPTURED", [0, 2_500, 0]).await;
    let order = bench.order(id).await;
    assert_eq!(order.financial_status, FinancialStatus::PartiallyRefunded);
    assert_eq!((order.version, order.payment_version), (2, 4), "a payment moves no version of the order");
}

#[tokio::test]
async fn nothing_to_pay_needs_no_payment() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(1);
    bench.peers.world().carts.get_mut(&cart).unwrap().total = 0;
    let progress = bench.complete("key-of-a-buyer", &bench.request(cart, "tok_approve")).await;
    assert_eq!(progress.attempt.state, CheckoutState::Confirmed);
    assert_eq!(bench.order(progress.attempt.order_id).await.financial_status, FinancialStatus::Paid);
    assert_eq!(bench.calls("paymentAuthorize") + bench.calls("paymentTake"), 0);
}

#[tokio::test]
async fn a_guests_token_is_the_same_each_time_and_opens_only_that_order() {
    let bench = Bench::new(5).await;
    let request = bench.request(bench.peers.cart(1), "tok_approve");
    let first = bench.complete("key-of-a-guest", &request).await;
    let again = bench.complete("key-of-a-guest", &request).await;
    let order = bench.order(first.attempt.order_id).await;
    let token = bench.orders.guest_token(&first.attempt, &order).unwrap();
    assert_eq!(bench.orders.guest_token(&again.attempt, &order).unwrap(), token);
    assert!(bench.orders.token_opens(&order, &token));
    assert!(!order.guest_token_hash.as_ref().unwrap().contains(&token), "only a digest is stored");

    let other =
        bench.complete("another-guests-key", &bench.request(bench.peers.cart(1), "tok_approve")).await;
    let other = bench.order(other.attempt.order_id).await;
    assert!(!bench.orders.token_opens(&other, &token));

    let buyer: UserId = bench.ports.ids.next();
    let viewer = Viewer::user(buyer, bench.ports.ids.next());
    let request = bench.request(bench.peers.cart(1), "tok_approve");
    let own = bench.orders.complete_checkout(&viewer, "key-of-a-buyer", &request).await.unwrap().unwrap();
    let order = bench.order(own.attempt.order_id).await;
    assert_eq!((order.customer_id, &order.guest_token_hash), (Some(buyer), &None));
    assert_eq!(bench.orders.guest_token(&own.attempt, &order), None);
}

#[tokio::test]
async fn a_timeline_tells_what_happened_in_order() {
    let bench = Bench::new(5).await;
    let progress = bench.complete("a-buyers-key", &bench.request(bench.peers.cart(1), "tok_approve")).await;
    let id = progress.attempt.order_id;
    bench.hear(id, 2, "CAPTURED", [0, 2_500, 0]).await;
    let events = order_event::of_orders(bench.ports.database.read(), vec![id], 10).await.unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["ORDER_CREATED", "ORDER_CONFIRMED", "PAYMENT_CAPTURED"]);
    assert_eq!(events[1].from_status, Some(OrderStatus::Pending));
    assert_eq!(events[1].to_status, Some(OrderStatus::Confirmed));
}
