//! Payments during a checkout, with all the cards of the test provider.

use std::time::Duration;

use auth::Viewer;
use common::id::PaymentId;
use events::calls::payments::AuthorizePaymentReply;
use serde_json::{Value as Json, json};
use subgraph::testing;
use tokio::task::JoinSet;

use crate::bench::{Bench, Checkout, TOTAL, shopper, stranger};

fn payment_of(reply: &AuthorizePaymentReply) -> PaymentId {
    match reply {
        AuthorizePaymentReply::Authorized { payment }
        | AuthorizePaymentReply::ActionRequired { payment, .. }
        | AuthorizePaymentReply::Pending { payment }
        | AuthorizePaymentReply::Declined { payment, .. } => *payment,
        AuthorizePaymentReply::MethodInvalid => panic!("no method"),
    }
}

fn is_authorized(reply: &AuthorizePaymentReply) -> bool {
    matches!(reply, AuthorizePaymentReply::Authorized { .. })
}

fn charge(kind: &str, outcome: &str, calls: i64) -> (String, String, i64, i64) {
    (kind.into(), outcome.into(), TOTAL, calls)
}

/// Waits for what the worker does, until `done` says so of the payment.
async fn until(bench: &Bench, payment: PaymentId, done: impl Fn(&Json) -> bool) -> Json {
    let wait = async {
        loop {
            let now = bench.payment(payment).await;
            if done(&now) {
                return now;
            }
            bench.ports.database.outbox_committed().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the worker goes on")
}

async fn client_action(bench: &Bench, viewer: &Viewer, checkout: Checkout) -> Json {
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on CheckoutAttempt { \
                    clientAction { kind clientSecret redirectUrl } } } }";
    let variables = json!({ "r": [{ "__typename": "CheckoutAttempt", "id": checkout.attempt }] });
    let mut answer = testing::run(&bench.subgraph, viewer, document, variables).await;
    answer["data"]["_entities"][0]["clientAction"].take()
}

async fn complete(bench: &Bench, checkout: Checkout, secret: &str) -> Json {
    let document =
        "mutation($a: ID!, $s: String!) { done: testPaymentActionComplete(attemptId: $a, clientSecret: $s) }";
    let variables = json!({ "a": checkout.attempt, "s": secret });
    let mut answer = testing::run(&bench.subgraph, &shopper(), document, variables).await;
    answer["data"]["done"].take()
}

#[tokio::test]
async fn an_order_is_held_once_and_taken_once_however_often_it_is_asked() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = bench.authorized(checkout).await;
    assert_eq!(bench.authorized(checkout).await, payment);
    for _ in 0..2 {
        let standing = bench.take(checkout.order).await.unwrap();
        let amounts = (standing.authorized.minor, standing.captured.minor, standing.refunded.minor);
        assert_eq!((standing.payment, amounts), (Some(payment), (0, TOTAL, 0)));
    }
    let charges = bench.charges(checkout.order).await;
    assert_eq!(charges, [charge("AUTHORIZE", "APPROVED", 1), charge("CAPTURE", "APPROVED", 1)]);
    assert_eq!(bench.told().await, ["AUTHORIZED", "CAPTURED"]);
}

#[tokio::test]
async fn a_card_is_declined_with_its_reason() {
    let bench = Bench::new().await;
    for (token, may_retry) in [("tok_decline", true), ("tok_insufficient", false), ("tok_expired", false)] {
        let checkout = bench.checkout();
        for _ in 0..2 {
            let reply = bench.authorize(checkout, token).await;
            let AuthorizePaymentReply::Declined { retryable, .. } = reply else { panic!("{reply:?}") };
            assert_eq!(retryable, may_retry, "{token}");
        }
        assert_eq!(bench.charges(checkout.order).await, [charge("AUTHORIZE", "DECLINED", 1)]);
        assert_eq!(bench.take(checkout.order).await.unwrap().captured.minor, 0);
    }
}

#[tokio::test]
async fn what_is_no_card_is_none() {
    let bench = Bench::new().await;
    for token in ["tok_nonsense", "", "pm_00000000000000000000000000"] {
        let checkout = bench.checkout();
        let reply = bench.authorize(checkout, token).await;
        assert!(matches!(reply, AuthorizePaymentReply::MethodInvalid), "{token} {reply:?}");
        assert_eq!(bench.charges(checkout.order).await, []);
    }
}

#[tokio::test]
async fn a_buyer_who_does_what_the_bank_asks_has_paid() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let reply = bench.authorize(checkout, "tok_action").await;
    assert!(matches!(reply, AuthorizePaymentReply::ActionRequired { .. }), "{reply:?}");
    let reply = bench.authorize(checkout, "tok_action").await;
    assert!(matches!(reply, AuthorizePaymentReply::ActionRequired { .. }), "{reply:?}");
    assert_eq!(client_action(&bench, &stranger(), checkout).await, Json::Null);
    let action = client_action(&bench, &shopper(), checkout).await;
    assert_eq!(action["kind"], "REDIRECT");
    assert_eq!(complete(&bench, checkout, "secret_guessed").await, false);
    let secret = action["clientSecret"].as_str().unwrap().to_owned();
    assert_eq!(complete(&bench, checkout, &secret).await, true);
    // The provider has told so by itself.
    assert_eq!(bench.payment(payment_of(&reply)).await["state"], "AUTHORIZED");
    assert!(is_authorized(&bench.authorize(checkout, "tok_action").await));
    assert_eq!(client_action(&bench, &shopper(), checkout).await, Json::Null);
    assert_eq!(complete(&bench, checkout, &secret).await, true);
    assert_eq!(bench.told().await, ["REQUIRES_ACTION", "AUTHORIZED"]);
}

#[tokio::test]
async fn a_buyer_whom_the_bank_does_not_know_has_not_paid() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    bench.authorize(checkout, "tok_action_fail").await;
    let action = client_action(&bench, &shopper(), checkout).await;
    assert_eq!(complete(&bench, checkout, action["clientSecret"].as_str().unwrap()).await, true);
    let reply = bench.authorize(checkout, "tok_action_fail").await;
    assert!(matches!(reply, AuthorizePaymentReply::Declined { retryable: true, .. }), "{reply:?}");
}

#[tokio::test]
async fn a_slow_provider_is_not_waited_for() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let reply = bench.authorize(checkout, "tok_slow").await;
    assert!(matches!(reply, AuthorizePaymentReply::Pending { .. }), "{reply:?}");
    bench.ports.clock.advance(Duration::from_secs(3));
    assert!(is_authorized(&bench.authorize(checkout, "tok_slow").await));
    let held: i64 = bench.charges(checkout.order).await.iter().map(|charge| charge.2).sum();
    assert_eq!(held, TOTAL);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_charges_once() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let reply = bench.authorize(checkout, "tok_timeout_then_success").await;
    assert!(matches!(reply, AuthorizePaymentReply::Pending { .. }), "{reply:?}");
    assert!(is_authorized(&bench.authorize(checkout, "tok_timeout_then_success").await));
    let held: i64 = bench.charges(checkout.order).await.iter().map(|charge| charge.2).sum();
    assert_eq!(held, TOTAL);
}

#[tokio::test]
async fn what_nobody_asks_for_again_is_finished_by_the_worker() {
    let bench = Bench::new().await;
    let reply = bench.authorize(bench.checkout(), "tok_timeout_then_success").await;
    until(&bench, payment_of(&reply), |payment| payment["state"] == "AUTHORIZED").await;
    assert_eq!(bench.told().await, ["AUTHORIZED"]);
}

#[tokio::test]
async fn a_provider_that_fails_twice_is_asked_three_times() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    assert!(is_authorized(&bench.authorize(checkout, "tok_error").await));
    assert_eq!(bench.charges(checkout.order).await, [charge("AUTHORIZE", "APPROVED", 3)]);
}

#[tokio::test]
async fn a_webhook_that_overtakes_the_answer_changes_nothing_twice() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let reply = bench.authorize(checkout, "tok_webhook_first").await;
    assert!(is_authorized(&reply));
    let payment = bench.payment(payment_of(&reply)).await;
    assert_eq!((&payment["version"], &payment["authorized"]["amountMinor"]), (&json!(2), &json!(TOTAL)));
    assert_eq!(bench.told().await, ["AUTHORIZED"]);
}

#[tokio::test]
async fn a_cancelled_order_is_not_charged_any_more() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    assert_eq!(bench.cancel(checkout.order).await.unwrap().payment, None);
    let reply = bench.authorize(checkout, "tok_approve").await;
    assert!(matches!(reply, AuthorizePaymentReply::Declined { retryable: false, .. }), "{reply:?}");
    assert_eq!(bench.charges(checkout.order).await, []);
}

#[tokio::test]
async fn cancelling_lets_go_of_what_is_held() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = bench.authorized(checkout).await;
    for _ in 0..2 {
        let standing = bench.cancel(checkout.order).await.unwrap();
        assert_eq!((standing.authorized.minor, standing.captured.minor), (0, 0));
    }
    assert_eq!(bench.payment(payment).await["state"], "VOIDED");
    let charges = bench.charges(checkout.order).await;
    assert_eq!(charges, [charge("AUTHORIZE", "VOIDED", 1), charge("VOID", "APPROVED", 1)]);
    assert_eq!(bench.take(checkout.order).await.unwrap().captured.minor, 0);
}

#[tokio::test]
async fn cancelling_gives_back_what_was_taken() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = bench.captured(checkout).await;
    bench.refund("a-part-first", payment, 1_000).await;
    for _ in 0..2 {
        let standing = bench.cancel(checkout.order).await.unwrap();
        assert_eq!((standing.captured.minor, standing.refunded.minor), (TOTAL, TOTAL));
    }
    let refunds: Vec<i64> = bench
        .charges(checkout.order)
        .await
        .into_iter()
        .filter(|charge| charge.0 == "REFUND")
        .map(|charge| charge.2)
        .collect();
    assert_eq!(refunds.iter().sum::<i64>(), TOTAL);
    assert_eq!(refunds.len(), 2);
}

#[tokio::test]
async fn cancelling_ends_what_waits_for_the_buyer() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = payment_of(&bench.authorize(checkout, "tok_action").await);
    let secret = client_action(&bench, &shopper(), checkout).await["clientSecret"].clone();
    bench.cancel(checkout.order).await.unwrap();
    assert_eq!(bench.payment(payment).await["state"], "FAILED");
    complete(&bench, checkout, secret.as_str().unwrap()).await;
    let payment = bench.payment(payment).await;
    assert_eq!((&payment["state"], &payment["authorized"]["amountMinor"]), (&json!("FAILED"), &json!(0)));
    assert_eq!(bench.charges(checkout.order).await[0].1, "VOIDED");
}

#[tokio::test]
async fn money_that_turns_up_after_the_order_is_cancelled_is_let_go() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = payment_of(&bench.authorize(checkout, "tok_timeout_then_success").await);
    bench.cancel(checkout.order).await.unwrap();
    until(&bench, payment, |payment| payment["state"] == "VOIDED").await;
    assert_eq!(bench.charges(checkout.order).await[0].1, "VOIDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_attempt_that_is_asked_for_from_many_sides_is_charged_once() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let mut sides = JoinSet::new();
    for _ in 0..12 {
        let bench = bench.clone();
        sides.spawn(async move {
            bench.authorized(checkout).await;
            bench.take(checkout.order).await.unwrap().captured.minor
        });
    }
    assert!(sides.join_all().await.into_iter().all(|captured| captured == TOTAL));
    let amounts: Vec<(String, i64)> =
        bench.charges(checkout.order).await.into_iter().map(|charge| (charge.0, charge.2)).collect();
    assert_eq!(amounts, [("AUTHORIZE".into(), TOTAL), ("CAPTURE".into(), TOTAL)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_that_is_paid_and_cancelled_at_once_keeps_no_money() {
    let bench = Bench::new().await;
    for _ in 0..6 {
        let checkout = bench.checkout();
        let (paying, cancelling) = (bench.clone(), bench.clone());
        let mut both = JoinSet::new();
        both.spawn(async move {
            paying.authorize(checkout, "tok_webhook_first").await;
            drop(paying.take(checkout.order).await);
        });
        both.spawn(async move { drop(cancelling.cancel(checkout.order).await) });
        both.join_all().await;
        // Whoever came first: asked again, nothing is held and all that was taken is given back.
        let standing = bench.cancel(checkout.order).await.unwrap();
        assert_eq!((standing.authorized.minor, standing.captured.minor), (0, standing.refunded.minor));
    }
}
