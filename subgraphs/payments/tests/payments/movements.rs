//! Taking and giving back, by staff.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::Currency;
use common::id::PaymentId;
use events::calls::payments::AuthorizePaymentReply;
use futures::future::BoxFuture;
use payments::provider::{Answer, AuthorizeRequest, MoveRequest, PaymentProvider, Unanswered};
use serde_json::json;
use subgraph::testing;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::bench::{Bench, TOTAL, shopper};

#[tokio::test]
async fn what_is_held_is_taken_in_parts_and_no_more() {
    let bench = Bench::new().await;
    let payment = bench.authorized(bench.checkout()).await;
    let part = json!({ "payment": { "state": "PARTIALLY_CAPTURED", "captured": { "amountMinor": 4_000 } }, "userErrors": [] });
    assert_eq!(bench.capture("first-part", payment, Some((4_000, "USD"))).await, part);
    assert_eq!(bench.capture("first-part", payment, Some((4_000, "USD"))).await, part);
    for (key, amount, code) in [
        ("first-part", (4_001, "USD"), "IDEMPOTENCY_KEY_REUSED"),
        ("too-much-1", (6_001, "USD"), "AMOUNT_EXCEEDS_AUTHORIZED"),
        ("in-euros-1", (1_000, "EUR"), "CURRENCY_MISMATCH"),
        ("nothing-at-all", (0, "USD"), "INVALID"),
    ] {
        assert_eq!(bench.capture(key, payment, Some(amount)).await["userErrors"][0]["code"], code);
    }
    let rest = bench.capture("the-rest", payment, None).await;
    assert_eq!(rest["payment"], json!({ "state": "CAPTURED", "captured": { "amountMinor": TOTAL } }));
    assert_eq!(bench.capture("once-more", payment, None).await["userErrors"][0]["code"], "INVALID");
}

#[tokio::test]
async fn no_more_is_given_back_than_was_taken() {
    let bench = Bench::new().await;
    let payment = bench.captured(bench.checkout()).await;
    let first = bench.refund("refund-one", payment, 7_000).await;
    assert_eq!(first["refund"], json!({ "state": "SUCCEEDED", "amount": { "amountMinor": 7_000 } }));
    assert_eq!(bench.refund("refund-one", payment, 7_000).await, first);
    assert_eq!(
        bench.refund("refund-two", payment, 3_001).await["userErrors"][0],
        json!({
            "code": "AMOUNT_EXCEEDS_CAPTURED", "field": ["input", "amount"],
            "refundable": { "amountMinor": 3_000 },
        })
    );
    let unknown: PaymentId = bench.ports.ids.next();
    assert_eq!(bench.refund("refund-two", unknown, 1).await["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_full_refunds_at_once_one_succeeds() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = bench.captured(checkout).await;
    let mut refunds = JoinSet::new();
    for number in 0..8 {
        let bench = bench.clone();
        refunds.spawn(async move {
            let answer = bench.refund(&format!("refund-number-{number}"), payment, TOTAL).await;
            answer["refund"]["state"] == "SUCCEEDED"
        });
    }
    assert_eq!(refunds.join_all().await.into_iter().filter(|refunded| *refunded).count(), 1);
    let given: i64 = bench
        .charges(checkout.order)
        .await
        .iter()
        .filter(|charge| charge.0 == "REFUND")
        .map(|charge| charge.2)
        .sum();
    assert_eq!(given, TOTAL);
    assert_eq!(bench.payment(payment).await["refundable"]["amountMinor"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_refund_from_many_sides_is_given_once() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = bench.captured(checkout).await;
    let mut refunds = JoinSet::new();
    for _ in 0..8 {
        let bench = bench.clone();
        refunds.spawn(async move { bench.refund("one-and-the-same", payment, 2_500).await });
    }
    for answer in refunds.join_all().await {
        assert_eq!(answer["refund"]["amount"]["amountMinor"], 2_500, "{answer}");
    }
    assert_eq!(bench.payment(payment).await["refunded"]["amountMinor"], 2_500);
}

#[tokio::test]
async fn a_shopper_moves_no_money() {
    let bench = Bench::new().await;
    let payment = bench.captured(bench.checkout()).await;
    let document = "mutation($i: RefundCreateInput!) { refundCreate(input: $i) { refund { id } } }";
    let input = json!({
        "idempotencyKey": "some-key-1", "paymentId": payment,
        "amount": { "amountMinor": 1, "currency": "USD" },
    });
    let answer = testing::run(&bench.subgraph, &shopper(), document, json!({ "i": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let document = "mutation($request: ServiceCall!) { reply: paymentTake(request: $request) }";
    let request = json!({ "request": { "order": bench.checkout().order } });
    let answer = testing::run(&bench.subgraph, &shopper(), document, request).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

/// A provider of somebody else's making, whose answers to refunds are lost while it is said so.
#[derive(Default)]
struct Forgetful {
    losing: Arc<AtomicBool>,
    hanging: Arc<AtomicBool>,
    asked: Arc<Notify>,
    keys: Arc<Mutex<Vec<String>>>,
}

fn done(reference: &str) -> BoxFuture<'static, Result<Answer, Unanswered>> {
    let reference = reference.to_owned();
    Box::pin(async move { Ok(Answer::Done { reference, last4: None }) })
}

impl PaymentProvider for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn supports(&self, currency: Currency) -> bool {
        currency == Currency::USD
    }

    fn authorize(&self, request: AuthorizeRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        self.keys.lock().expect("no test panics here").push(request.key);
        if self.hanging.swap(false, Ordering::SeqCst) {
            self.asked.notify_one();
            return Box::pin(std::future::pending());
        }
        done("ref")
    }

    fn capture(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        done(&request.reference)
    }

    fn void(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        done(&request.reference)
    }

    fn refund(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        self.keys.lock().expect("no test panics here").push(request.key.clone());
        if self.losing.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Unanswered::Failed("the answer is lost".into())) });
        }
        done(&request.reference)
    }
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_still_counts_and_is_asked_for_under_the_same_key() {
    let provider = Forgetful::default();
    let (keys, losing) = (Arc::clone(&provider.keys), Arc::clone(&provider.losing));
    losing.store(true, Ordering::SeqCst);
    let bench = Bench::with(provider).await;
    let payment = bench.captured(bench.checkout()).await;
    let first = bench.refund("refund-one", payment, 6_000).await;
    assert_eq!(first["refund"]["state"], "PENDING");
    let second = bench.refund("refund-two", payment, 6_000).await;
    assert_eq!(second["userErrors"][0]["code"], "AMOUNT_EXCEEDS_CAPTURED");
    losing.store(false, Ordering::SeqCst);
    let again = bench.refund("refund-one", payment, 6_000).await;
    assert_eq!(again["refund"]["state"], "SUCCEEDED");
    assert_eq!(bench.payment(payment).await["refunded"]["amountMinor"], 6_000);
    let mut keys = keys.lock().unwrap().split_off(1);
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn a_payment_whose_caller_dies_while_the_provider_is_asked_is_finished_under_the_same_key() {
    let provider = Forgetful::default();
    let (keys, asked) = (Arc::clone(&provider.keys), Arc::clone(&provider.asked));
    provider.hanging.store(true, Ordering::SeqCst);
    let bench = Bench::with(provider).await;
    let checkout = bench.checkout();
    tokio::select! {
        biased;
        reply = bench.authorize(checkout, "tok_any") => panic!("nobody answered: {reply:?}"),
        () = asked.notified() => {}
    }
    bench.ports.clock.advance(Duration::from_secs(60));
    // The worker says what came of it.
    bench.ports.database.outbox_committed().await;
    assert_eq!(bench.told().await, ["AUTHORIZED"]);
    assert!(matches!(bench.authorize(checkout, "tok_any").await, AuthorizePaymentReply::Authorized { .. }));
    let keys = keys.lock().unwrap().clone();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}
