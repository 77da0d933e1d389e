//! Crashes at every call, parts that do not answer, and many at once.

use std::task::Poll;
use std::time::Duration;

use auth::Viewer;
use common::id::CartId;
use futures::StreamExt as _;
use futures::future::join_all;

use super::Bench;
use super::peers::Moment;
use crate::domain::{CheckoutRefusal, CheckoutState, FinancialStatus, OrderStatus};
use crate::entity::checkout_attempt;
use crate::service::checkout::Progress;
use crate::service::checkout::drive::LEASE;

/// The calls of a checkout that goes through, in order.
const FORWARD: [&str; 6] =
    ["cartFreeze", "stockReserve", "paymentAuthorize", "stockCommit", "cartComplete", "paymentTake"];
/// The calls of the way back.
const BACK: [&str; 3] = ["cartThaw", "stockRelease", "paymentCancel"];

#[tokio::test]
async fn a_crash_at_any_call_leaves_a_checkout_that_goes_through() {
    for (name, moment) in FORWARD.iter().flat_map(|name| [(*name, Moment::Before), (*name, Moment::After)]) {
        let bench = Bench::new(5).await;
        let cart = bench.peers.cart(2);
        let attempt = crash(&bench, cart, "tok_approve", name, moment).await;
        let at = format!("{name} {moment:?}");
        bench.restart_and_sweep().await;
        let stored = bench.attempt(attempt).await;
        assert!(stored.is_driven(bench.ports.clock.now()), "the dead driver's lease holds: {at}");

        bench.ports.clock.advance(LEASE + Duration::from_secs(1));
        bench.restart_and_sweep().await;
        let stored = bench.attempt(attempt).await;
        assert_eq!((stored.state, stored.is_finished()), (CheckoutState::Confirmed, true), "{at}");
        let order = bench.order(stored.order_id).await;
        assert_eq!((order.status, order.financial_status), (OrderStatus::Confirmed, FinancialStatus::Paid));
        {
            let world = bench.peers.world();
            assert_eq!((world.charged, world.captured, world.stock), (1, 1, 3), "{at}");
            assert_eq!(world.carts[&cart].ordered_by, Some(attempt), "{at}");
        }
        let events = messaging::pending(&bench.ports.database).await.unwrap();
        assert_eq!(events.len(), 1, "the order is announced once: {at}");
    }
}

#[tokio::test]
async fn a_crash_between_any_two_polls_leaves_a_checkout_that_goes_through_once() {
    let bench = Bench::new(1_000).await;
    let mut crashed = 0;
    for round in 1..=60_u32 {
        let cart = bench.peers.cart(1);
        let request = bench.request(cart, "tok_approve");
        let key = format!("key-number-{round}");
        let attempt = bench.orders.new_attempt(&Viewer::anonymous(), &key, &request).unwrap();
        assert!(checkout_attempt::insert(bench.ports.database.schema(), attempt.clone()).await.unwrap());
        let mut run = Progress::from(attempt.clone());
        // How far so many polls come depends on the database's haste, so each number has several tries.
        crashed += u32::from(for_so_many_polls(bench.orders.drive(&mut run), round % 15).await.is_none());

        // More than one sweep: what the dead driver sent last may reach the database after the first has looked.
        for _ in 0..3 {
            bench.ports.clock.advance(LEASE + Duration::from_secs(1));
            bench.restart_and_sweep().await;
        }
        let stored = bench.attempt(attempt.id).await;
        assert_eq!((stored.state, stored.is_finished()), (CheckoutState::Confirmed, true), "round {round}");
        let order = bench.order(stored.order_id).await;
        assert_eq!((order.version, order.financial_status), (2, FinancialStatus::Paid), "round {round}");
        let world = bench.peers.world();
        assert_eq!((world.charged, world.captured), (round, round), "round {round}");
        assert_eq!(world.carts[&cart].ordered_by, Some(attempt.id), "round {round}");
    }
    assert!(crashed > 0);
    let events = messaging::pending(&bench.ports.database).await.unwrap();
    assert_eq!(events.len(), 60, "each order is announced once");
}

/// Polls a future so many times and then drops it; what it came to, if it came to an end.
async fn for_so_many_polls<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn processes_that_find_the_same_attempt_at_once_drive_it_once() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(1);
    let attempt = crash(&bench, cart, "tok_approve", "cartFreeze", Moment::Before).await;
    bench.ports.clock.advance(LEASE + Duration::from_secs(1));
    join_all((0..6).map(|_| bench.restart_and_sweep())).await;
    assert_eq!(bench.attempt(attempt).await.state, CheckoutState::Confirmed);
    for name in FORWARD.into_iter().skip(1) {
        assert_eq!(bench.calls(name), 1, "{name}");
    }
}

#[tokio::test]
async fn a_driver_that_lost_its_lease_changes_nothing_any_more() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(1);
    bench.peers.world().hanging = Some(("stockReserve", Moment::After));
    let request = bench.request(cart, "tok_approve");
    let attempt = bench.orders.new_attempt(&Viewer::anonymous(), "key-of-a-buyer", &request).unwrap();
    assert!(checkout_attempt::insert(bench.ports.database.schema(), attempt.clone()).await.unwrap());
    let mut slow = Progress::from(attempt.clone());
    let overtaken = async {
        bench.peers.hung().await;
        bench.peers.world().hanging = None;
        bench.ports.clock.advance(LEASE + Duration::from_secs(1));
        bench.restart_and_sweep().await;
        bench.peers.heal();
    };
    let (driven, ()) = tokio::join!(bench.orders.drive(&mut slow), overtaken);
    assert!(!driven.unwrap(), "the slow driver has lost the attempt");
    assert_eq!(bench.attempt(attempt.id).await.state, CheckoutState::Confirmed);
    assert_eq!((bench.calls("paymentAuthorize"), bench.peers.world().captured), (1, 1));
}

#[tokio::test]
async fn a_crash_on_the_way_back_leaves_a_checkout_that_holds_nothing() {
    for (name, moment) in BACK.iter().flat_map(|name| [(*name, Moment::Before), (*name, Moment::After)]) {
        let bench = Bench::new(5).await;
        let cart = bench.peers.cart(2);
        let attempt = crash(&bench, cart, "tok_decline", name, moment).await;
        let at = format!("{name} {moment:?}");
        assert_eq!(bench.attempt(attempt).await.state, CheckoutState::Compensating, "{at}");
        bench.ports.clock.advance(LEASE + Duration::from_secs(1));
        bench.restart_and_sweep().await;
        let stored = bench.attempt(attempt).await;
        assert_eq!((stored.state, stored.is_finished()), (CheckoutState::Failed, true), "{at}");
        assert_eq!(bench.order(stored.order_id).await.status, OrderStatus::Cancelled, "{at}");
        let world = bench.peers.world();
        assert_eq!((world.stock, world.charged), (5, 0), "{at}");
        assert_eq!(world.carts[&cart].frozen_for, None, "{at}");
    }
}

/// Drives a new attempt until `name` hangs, then drops the driver: what a process that dies leaves behind.
async fn crash(
    bench: &Bench,
    cart: CartId,
    token: &str,
    name: &'static str,
    moment: Moment,
) -> common::id::CheckoutAttemptId {
    bench.peers.world().hanging = Some((name, moment));
    let request = bench.request(cart, token);
    let attempt = bench.orders.new_attempt(&Viewer::anonymous(), "key-of-a-buyer", &request).unwrap();
    let id = attempt.id;
    assert!(checkout_attempt::insert(bench.ports.database.schema(), attempt.clone()).await.unwrap());
    let mut run = Progress::from(attempt);
    tokio::select! {
        driven = bench.orders.drive(&mut run) => panic!("{name} did not hang: {driven:?}"),
        () = bench.peers.hung() => {}
    }
    bench.peers.heal();
    id
}

#[tokio::test]
async fn the_same_request_many_times_at_once_is_one_order_and_one_payment() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(1);
    let request = bench.request(cart, "tok_approve");
    let outcomes = join_all((0..8).map(|_| bench.complete("key-of-a-buyer", &request))).await;
    for progress in &outcomes {
        assert_eq!(progress.attempt.state, CheckoutState::Confirmed);
        assert_eq!(progress.attempt.id, outcomes[0].attempt.id);
    }
    let world = bench.peers.world();
    assert_eq!((world.charged, world.captured, world.stock), (1, 1, 4));
    assert_eq!(world.calls["paymentAuthorize"], 1);
}

#[tokio::test]
async fn a_cart_checked_out_under_many_keys_at_once_is_one_order_and_one_payment() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(1);
    let request = bench.request(cart, "tok_approve");
    let keys: Vec<String> = (0..8).map(|key| format!("key-number-{key}")).collect();
    let tasks = keys.iter().map(|key| {
        let (orders, request, key) = (bench.orders.clone(), request.clone(), key.clone());
        async move { orders.complete_checkout(&Viewer::anonymous(), &key, &request).await.unwrap().unwrap() }
    });
    // Real tasks, so that they interleave at every await.
    #[expect(clippy::disallowed_methods, reason = "a test has no runtime of ours")]
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    let outcomes: Vec<Progress> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let confirmed = outcomes.iter().filter(|one| one.attempt.state == CheckoutState::Confirmed).count();
    assert_eq!(confirmed, 1);
    for other in outcomes.iter().filter(|one| one.attempt.state != CheckoutState::Confirmed) {
        let refusal = other.attempt.refusal().unwrap().unwrap();
        assert!(matches!(refusal, CheckoutRefusal::CartBusy | CheckoutRefusal::CartGone), "{refusal:?}");
    }
    let world = bench.peers.world();
    assert_eq!((world.charged, world.captured, world.stock), (1, 1, 4));
}

#[tokio::test]
async fn buyers_racing_for_the_last_units_get_exactly_those() {
    let bench = Bench::new(3).await;
    let requests: Vec<_> = (0..12).map(|_| bench.request(bench.peers.cart(1), "tok_approve")).collect();
    let keys: Vec<String> = (0..12).map(|key| format!("key-number-{key}")).collect();
    let races = requests.iter().zip(&keys).map(|(request, key)| bench.complete(key, request));
    let outcomes = join_all(races).await;
    let confirmed = outcomes.iter().filter(|one| one.attempt.state == CheckoutState::Confirmed).count();
    assert_eq!(confirmed, 3);
    for other in outcomes.iter().filter(|one| one.attempt.state != CheckoutState::Confirmed) {
        let refusal = other.attempt.refusal().unwrap();
        assert!(
            matches!(refusal, Some(CheckoutRefusal::InsufficientStock { available: 0, .. })),
            "{refusal:?}"
        );
    }
    let world = bench.peers.world();
    assert_eq!((world.charged, world.captured, world.stock), (3, 3, 0));
}

#[tokio::test]
async fn a_payment_without_an_answer_keeps_the_order_pending_until_there_is_one() {
    let bench = Bench::new(5).await;
    bench.peers.world().failing.insert("paymentAuthorize", 1);
    let request = bench.request(bench.peers.cart(1), "tok_slow");
    let progress = bench.complete("key-of-a-buyer", &request).await;
    assert_eq!(progress.attempt.state, CheckoutState::PaymentPending);
    assert_eq!(bench.order(progress.attempt.order_id).await.status, OrderStatus::Pending);
    bench.ports.clock.advance(Duration::from_secs(5));
    bench.restart_and_sweep().await;
    assert_eq!(bench.attempt(progress.attempt.id).await.state, CheckoutState::PaymentPending);
    bench.peers.world().settle_as = Some("AUTHORIZED");
    bench.ports.clock.advance(Duration::from_secs(5));
    bench.restart_and_sweep().await;
    assert_eq!(bench.attempt(progress.attempt.id).await.state, CheckoutState::Confirmed);
    assert_eq!(bench.peers.world().charged, 1);
}

#[tokio::test]
async fn a_checkout_is_refused_at_once_where_cart_or_stock_do_not_answer() {
    for name in ["cartFreeze", "stockReserve"] {
        let bench = Bench::new(5).await;
        let cart = bench.peers.cart(1);
        bench.peers.world().failing.insert(name, 1);
        let progress = bench.complete("key-of-a-buyer", &bench.request(cart, "tok_approve")).await;
        assert_eq!(progress.attempt.refusal().unwrap(), Some(CheckoutRefusal::Unavailable), "{name}");
        assert_eq!(bench.calls("paymentAuthorize"), 0, "{name}");
        assert_eq!(bench.peers.world().carts[&cart].frozen_for, None, "{name}");
        let again = bench.complete("another-key", &bench.request(cart, "tok_approve")).await;
        assert_eq!(again.attempt.state, CheckoutState::Confirmed, "{name}");
    }
}

#[tokio::test]
async fn where_no_buyer_waits_a_part_that_does_not_answer_is_asked_again() {
    for name in ["cartFreeze", "stockReserve"] {
        let bench = Bench::new(5).await;
        let cart = bench.peers.cart(1);
        let attempt = crash(&bench, cart, "tok_approve", name, Moment::Before).await;
        bench.peers.world().failing.insert(name, 1);
        for _ in 0..2 {
            bench.ports.clock.advance(LEASE + Duration::from_secs(1));
            bench.restart_and_sweep().await;
        }
        assert_eq!(bench.attempt(attempt).await.state, CheckoutState::Confirmed, "{name}");
    }
}

#[tokio::test]
async fn what_is_promised_is_done_however_often_it_fails() {
    for name in ["stockCommit", "cartComplete", "paymentTake"] {
        let bench = Bench::new(5).await;
        bench.peers.world().failing.insert(name, 3);
        let progress =
            bench.complete("a-buyers-key", &bench.request(bench.peers.cart(1), "tok_approve")).await;
        for _ in 0..3 {
            bench.ports.clock.advance(Duration::from_secs(31));
            bench.restart_and_sweep().await;
        }
        let stored = bench.attempt(progress.attempt.id).await;
        assert_eq!((stored.state, stored.is_finished()), (CheckoutState::Confirmed, true), "{name}");
        let world = bench.peers.world();
        assert_eq!((world.charged, world.captured), (1, 1), "{name}");
    }
}

#[tokio::test]
async fn a_failed_checkout_lets_go_of_everything_however_often_that_fails() {
    for name in BACK {
        let bench = Bench::new(5).await;
        let cart = bench.peers.cart(1);
        bench.peers.world().failing.insert(name, 2);
        let progress = bench.complete("key-of-a-buyer", &bench.request(cart, "tok_decline")).await;
        assert_eq!(progress.attempt.state, CheckoutState::Compensating, "{name}");
        assert!(progress.attempt.refusal().unwrap().is_some(), "the buyer knows already: {name}");
        for _ in 0..2 {
            bench.ports.clock.advance(Duration::from_secs(31));
            bench.restart_and_sweep().await;
        }
        assert_eq!(bench.attempt(progress.attempt.id).await.state, CheckoutState::Failed, "{name}");
        let world = bench.peers.world();
        assert_eq!((world.stock, world.carts[&cart].frozen_for), (5, None), "{name}");
    }
}

#[tokio::test]
async fn a_checkout_that_takes_longer_than_a_buyer_waits_goes_on_without_them() {
    let mut bench = Bench::new(5).await;
    bench.orders.patience = Duration::from_millis(1);
    let request = bench.request(bench.peers.cart(1), "tok_approve");
    bench.peers.world().hanging = Some(("paymentAuthorize", Moment::Before));
    let progress = bench.complete("key-of-a-buyer", &request).await;
    assert!(!progress.attempt.state.is_decided());
    bench.peers.hung().await;
    let other = bench.complete("key-of-a-buyer", &request).await;
    assert_eq!(other.attempt.state, CheckoutState::StockReserved);
    assert_eq!(other.attempt.id, progress.attempt.id);
    assert_eq!(bench.calls("paymentAuthorize"), 1, "nobody drives it a second time");
    let mut changes = bench.orders.attempt_changes.watch(|_| true);
    bench.peers.heal();
    while !bench.attempt(progress.attempt.id).await.is_finished() {
        changes.next().await.unwrap();
    }
    assert_eq!(bench.order(progress.attempt.order_id).await.status, OrderStatus::Confirmed);
}
