//! Changing stock by hand.

use crate::bench::{Bench, shopper};
use common::id::{StockLocationId, VariantId};
use serde_json::json;
use subgraph::testing;
use tokio::task::JoinSet;

#[tokio::test]
async fn the_same_key_changes_once_and_answers_the_same() {
    let (bench, variant, location) = Bench::with_one(10).await;
    let first = bench.adjust("delivery-7", variant, location, 5, Some(10)).await;
    assert_eq!(
        first["data"]["stockAdjust"],
        json!({
            "level": { "allocated": 0, "available": 15, "onHand": 15, "reserved": 0, "version": 3 },
            "userErrors": [],
        })
    );
    assert_eq!(bench.adjust("delivery-7", variant, location, 5, Some(10)).await, first);
    assert_eq!(bench.quantity(variant).await, 15);
    let other = bench.adjust("delivery-7", variant, location, 6, Some(10)).await;
    assert_eq!(other["data"]["stockAdjust"]["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let (bench, variant, location) = Bench::with_one(10).await;
    bench.reserve(bench.order(), &[(variant, 4)]).await;
    let (no_variant, no_place): (VariantId, StockLocationId) =
        (bench.ports.ids.next(), bench.ports.ids.next());
    for (variant, location, delta, seen, code, field) in [
        (variant, location, 1, Some(9), "QUANTITY_CONFLICT", "changeFromQuantity"),
        (variant, location, -7, None, "INSUFFICIENT_STOCK", "delta"),
        (variant, location, 0, None, "INVALID", "delta"),
        (no_variant, location, 1, None, "NOT_FOUND", "variantId"),
        (variant, no_place, 1, None, "NOT_FOUND", "locationId"),
    ] {
        let answer = bench.adjust("some-key-1", variant, location, delta, seen).await;
        let expected = json!({ "level": null, "userErrors": [{ "code": code, "field": ["input", field] }] });
        assert_eq!(answer["data"]["stockAdjust"], expected);
    }
    // Nothing of it stuck, the key included.
    let answer = bench.adjust("some-key-1", variant, location, -6, Some(10)).await;
    assert_eq!(answer["data"]["stockAdjust"]["level"]["available"], 0);
}

#[tokio::test]
async fn a_shopper_does_not_change_stock() {
    let (bench, variant, location) = Bench::with_one(10).await;
    let document = "mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { level { onHand } } }";
    let input = json!({
        "idempotencyKey": "some-key-1", "variantId": variant, "locationId": location, "delta": 1,
        "reason": "counted",
    });
    let answer = testing::run(&bench.subgraph, &shopper(), document, json!({ "i": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(bench.quantity(variant).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_saw_the_same_quantity_one_changes_it() {
    let (bench, variant, location) = Bench::with_one(10).await;
    let mut hands = JoinSet::new();
    for hand in 0..10 {
        let bench = bench.clone();
        hands.spawn(async move {
            let answer = bench.adjust(&format!("hand-number-{hand}"), variant, location, -1, Some(10)).await;
            answer["data"]["stockAdjust"]["level"].is_object()
        });
    }
    assert_eq!(hands.join_all().await.into_iter().filter(|changed| *changed).count(), 1);
    assert_eq!(bench.quantity(variant).await, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_key_at_the_same_moment_changes_once() {
    let (bench, variant, location) = Bench::with_one(10).await;
    let mut hands = JoinSet::new();
    for _ in 0..10 {
        let bench = bench.clone();
        hands.spawn(async move { bench.adjust("delivery-7", variant, location, 5, None).await });
    }
    let answers = hands.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(bench.quantity(variant).await, 15);
}
