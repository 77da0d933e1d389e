//! The seeded payments.

use std::collections::BTreeMap;

use auth::Viewer;
use seed::World;
use serde_json::json;
use subgraph::seeding::Progress;
use subgraph::testing;

use crate::bench::Bench;

#[tokio::test]
async fn every_seeded_order_has_a_payment_in_a_state_that_fits() {
    let bench = Bench::new().await;
    let world = World { products: 20, users: 10, orders: 60, ..World::DEMO };
    for _ in 0..2 {
        payments::seed(&bench.ports, &world, &Progress::silent()).await.unwrap();
    }
    let representations: Vec<_> = (0..world.orders)
        .map(|number| json!({ "__typename": "Order", "id": world.order(number).id }))
        .collect();
    let document =
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payments { state } } } }";
    let viewer = Viewer::service("orders");
    let answer = testing::run(&bench.subgraph, &viewer, document, json!({ "r": representations })).await;
    let mut states: BTreeMap<&str, u32> = BTreeMap::new();
    for order in answer["data"]["_entities"].as_array().unwrap() {
        assert_eq!(order["payments"].as_array().unwrap().len(), 1);
        *states.entry(order["payments"][0]["state"].as_str().unwrap()).or_default() += 1;
    }
    let seen: Vec<_> = states.keys().copied().collect();
    assert_eq!(seen, ["AUTHORIZED", "CAPTURED", "FAILED", "REQUIRES_ACTION", "VOIDED"]);
}

#[tokio::test]
async fn who_has_the_code_has_the_gift_card() {
    let bench = Bench::new().await;
    let world = World { products: 5, users: 10, orders: 5, ..World::DEMO };
    payments::seed(&bench.ports, &world, &Progress::silent()).await.unwrap();
    let document = "query($code: String!) { giftCard(code: $code) { last4 balance { amount } } }";
    for (code, card) in [
        ("gift demo 2026 usd1", json!({ "last4": "USD1", "balance": { "amount": "50.00" } })),
        ("GIFT-DEMO-2026-USD2", json!(null)),
    ] {
        let viewer = Viewer::anonymous();
        let answer = testing::run(&bench.subgraph, &viewer, document, json!({ "code": code })).await;
        assert_eq!(answer["data"]["giftCard"], card);
    }
}
