//! The seeded world.

use auth::Viewer;
use seed::World;
use serde_json::json;
use subgraph::seeding::Progress;

use crate::Bench;

const SMALL: World = World { seed: 1, products: 20, users: 30, orders: 40 };

#[tokio::test]
async fn the_demo_shopper_finds_messages_about_their_orders_and_mail_is_not_sent_again() {
    let bench = Bench::new().await;
    for _ in 0..2 {
        notifications::seed(&bench.ports, &SMALL, &Progress::silent()).await.unwrap();
    }
    let shopper = Viewer::user(SMALL.user_id(0), bench.ports.ids.next());
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User {
        notifications(first: 100) { unreadCount nodes { title readAt order { id } } } } } }";
    let asked = json!({ "r": [{ "__typename": "User", "id": SMALL.user_id(0) }] });
    let answer = bench.run(&shopper, document, asked).await;
    let inbox = &answer["data"]["_entities"][0]["notifications"];
    let told: Vec<_> = (0..SMALL.orders)
        .map(|number| SMALL.order(number))
        .filter(|order| order.customer.as_ref().is_some_and(|customer| customer.number == 0))
        .filter(|order| {
            !matches!(order.status, seed::SeedOrderStatus::Pending | seed::SeedOrderStatus::Expired)
        })
        .collect();
    let nodes = inbox["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), told.len());
    for order in &told {
        let of_order = nodes.iter().find(|node| node["order"]["id"] == json!(order.id)).unwrap();
        assert!(of_order["title"].as_str().unwrap().contains(&order.reference));
    }
    assert_eq!(inbox["unreadCount"], nodes.iter().filter(|node| node["readAt"].is_null()).count());
    bench.settled().await;
    bench.no_more_mail().await;
}

#[tokio::test]
async fn seeded_variants_can_be_waited_for() {
    let bench = Bench::new().await;
    notifications::seed(&bench.ports, &SMALL, &Progress::silent()).await.unwrap();
    let shopper = Viewer::user(SMALL.user_id(0), bench.ports.ids.next());
    let input = json!({ "variantId": SMALL.product(3).variants[0].id });
    let payload = "{ ok userErrors { code } }";
    let answer = bench.mutate(&shopper, "stockAlertCreate", payload, "StockAlertInput!", input).await;
    assert_eq!(answer, json!({ "ok": true, "userErrors": [] }));
}
