//! The checkout under failure: crashes at every call, failures, races, time running out.

#[path = "../../../tests/peers/mod.rs"]
mod peers;

use std::task::Poll;
use std::time::Duration;

use auth::Viewer;
use common::id::{CartId, OrderId, UserId};
use common::{Currency, Money};
use events::payments::PaymentsEvent;
use futures::StreamExt as _;
use futures::future::join_all;
use messaging::Envelope;
use subgraph::testing::{self, Folder};
use subgraph::{Ports, Subgraph};

use self::peers::{Hold, Moment, Peers};
use super::drive::LEASE;
use super::{CheckoutRequest, LIFETIME, Progress};
use crate::domain::{CheckoutRefusal, CheckoutState, FinancialStatus, OrderStatus, RequestRefusal};
use crate::entity::{checkout_attempt, order, order_event};
use crate::service::Orders;
use crate::{NAME, migrations};

/// The calls of a checkout that goes through, in order.
const FORWARD: [&str; 6] =
    ["cartFreeze", "stockReserve", "paymentAuthorize", "stockCommit", "cartComplete", "paymentTake"];
/// The calls of the way back.
const BACK: [&str; 3] = ["cartThaw", "stockRelease", "paymentCancel"];

struct Bench {
    ports: Ports,
    orders: Orders,
    peers: Peers,
    _folder: Folder,
}

impl Bench {
    async fn new(stock: i32) -> Self {
        let (ports, folder) = testing::ports(NAME, migrations).await;
        let peers = Peers::new(&ports, stock);
        Self { orders: Orders::new(&ports), ports, peers, _folder: folder }
    }

    fn request(&self, cart: CartId, token: &str) -> CheckoutRequest {
        let (version, total) = {
            let world = self.peers.world();
            (world.carts[&cart].version, world.carts[&cart].total)
        };
        CheckoutRequest {
            cart,
            cart_version: version,
            expected_total: Money::new(total, Currency::USD),
            payment_token: token.to_owned(),
            gift_cards: Vec::new(),
            return_url: None,
        }
    }

    async fn complete(&self, key: &str, request: &CheckoutRequest) -> Progress {
        let viewer = Viewer::anonymous();
        self.orders.complete_checkout(&viewer, key, request).await.unwrap().unwrap()
    }

    /// What a process that starts now finds and does.
    async fn restart_and_sweep(&self) {
        Orders::new(&self.ports).sweep().await.unwrap();
    }

    async fn attempt(&self, id: common::id::CheckoutAttemptId) -> checkout_attempt::Model {
        checkout_attempt::by_id(self.ports.database.read(), id).await.unwrap().unwrap()
    }

    async fn order(&self, id: OrderId) -> order::Model {
        order::by_ids(self.ports.database.read(), vec![id]).await.unwrap().pop().unwrap()
    }

    fn calls(&self, name: &str) -> u32 {
        self.peers.world().calls.get(name).copied().unwrap_or_default()
    }

    fn subgraph(&self) -> Subgraph {
        crate::assemble(&self.ports, &self.orders)
    }

    /// Delivers an event of `payments`.
    async fn hear(&self, order: OrderId, version: i32, state: &str, figures: [i64; 3]) {
        let money = |minor| Money::new(minor, Currency::USD);
        let event = PaymentsEvent {
            payment: self.ports.ids.next(),
            order,
            version,
            state: state.to_owned(),
            authorized: money(figures[0]),
            captured: money(figures[1]),
            refunded: money(figures[2]),
        };
        let envelope = Envelope {
            id: self.ports.ids.next(),
            topic: "payments".to_owned(),
            key: order.to_string(),
            at: self.ports.clock.now(),
            payload: serde_json::to_string(&event).unwrap(),
            cause: Default::default(),
        };
        self.subgraph().receiver.unwrap().accept(&[envelope]).await.unwrap();
    }
}

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
