//! What buyers are told of their orders, and who sees it.

use auth::Viewer;
use common::id::OrderId;
use events::orders::OrderChange::{Cancelled, Completed, Confirmed, Fulfilled};
use futures::StreamExt as _;
use serde_json::{Value, json};
use subgraph::testing;

use crate::{Bench, PATIENCE, order};

const INBOX: &str =
    "query E($r: [_Any!]!, $first: Int, $after: String) { _entities(representations: $r) { ... on User {
    notifications(first: $first, after: $after) { unreadCount nodes { topic channel state title order { id } }
    pageInfo { hasNextPage endCursor } } } } }";
const MESSAGES: &str = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Order { messages { topic channel state title } } } }";

fn user(viewer: &Viewer) -> Value {
    json!([{ "__typename": "User", "id": viewer.user_id().unwrap() }])
}

fn orders(ids: &[OrderId]) -> Value {
    ids.iter().map(|id| json!({ "__typename": "Order", "id": id })).collect()
}

#[tokio::test]
async fn each_step_of_an_order_is_told_by_mail_and_in_the_shop_once() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let id = bench.ports.ids.next();
    let mut titles = Vec::new();
    for (change, version) in [(Confirmed, 1), (Fulfilled, 2), (Fulfilled, 3), (Completed, 4)] {
        let envelope = bench.hear(&order(&bench, id, ada.user_id(), change, version)).await;
        let mail = bench.mail().await;
        assert_eq!((mail.recipient.as_str(), mail.locale.as_str()), ("ada@example.com", "en"));
        titles.push(mail.title);
        bench.hear_again(&envelope).await;
        // Another event that says the same.
        bench.hear(&order(&bench, id, ada.user_id(), change, version)).await;
        bench.settled().await;
    }
    bench.no_more_mail().await;
    let expected = [
        "Order TP-1001 is confirmed",
        "Order TP-1001 is on its way",
        "Order TP-1001 is on its way",
        "Order TP-1001 is complete",
    ];
    assert_eq!(titles, expected);
    let answer = bench.run(&ada, MESSAGES, json!({ "r": orders(&[id]) })).await;
    insta::assert_json_snapshot!(answer["data"]["_entities"][0]);
}

#[tokio::test]
async fn the_inbox_shows_the_newest_first_page_by_page() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let ids: Vec<OrderId> = (0..3).map(|_| bench.ports.ids.next()).collect();
    for id in &ids {
        bench.hear(&order(&bench, *id, ada.user_id(), Confirmed, 1)).await;
        bench.mail().await;
    }
    bench.settled().await;
    let (mut seen, mut after) = (Vec::new(), json!(null));
    loop {
        let page = bench.run(&ada, INBOX, json!({ "r": user(&ada), "first": 3, "after": after })).await;
        let page = &page["data"]["_entities"][0]["notifications"];
        assert_eq!(page["unreadCount"], 4);
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["order"]["id"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    // The welcome came first and is about no order.
    assert_eq!(seen, [json!(ids[2]), json!(ids[1]), json!(ids[0]), json!(null)]);
}

#[tokio::test]
async fn the_buyers_language_is_spoken() {
    let bench = Bench::new().await;
    for (locale, expected) in
        [("de-AT", "Bestellung TP-1001 ist storniert"), ("ar", "تم إلغاء الطلب TP-1001")]
    {
        let mut event = order(&bench, bench.ports.ids.next(), None, Cancelled, 2);
        event.order.locale = locale.into();
        bench.hear(&event).await;
        assert_eq!(bench.mail().await.title, expected);
    }
}

#[tokio::test]
async fn messages_of_an_order_are_for_its_buyer_support_and_services() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let bob = bench.person("bob@example.com", "en").await;
    let (adas, guests) = (bench.ports.ids.next(), bench.ports.ids.next());
    bench.hear(&order(&bench, adas, ada.user_id(), Confirmed, 1)).await;
    bench.hear(&order(&bench, guests, None, Confirmed, 1)).await;
    let support = Viewer::user(bench.ports.ids.next(), bench.ports.ids.next()).with_scopes(&["orders:read"]);
    let cases = [
        (&ada, json!([2, 0])),
        (&bob, json!([0, 0])),
        (&support, json!([2, 1])),
        (&Viewer::service("orders"), json!([2, 1])),
        (&Viewer::anonymous(), json!([null, null])),
    ];
    for (viewer, expected) in cases {
        let answer = bench.run(viewer, MESSAGES, json!({ "r": orders(&[adas, guests]) })).await;
        let counts: Vec<Value> = answer["data"]["_entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["messages"].as_array().map_or(json!(null), |messages| json!(messages.len())))
            .collect();
        assert_eq!(json!(counts), expected, "{viewer:?}");
    }
}

#[tokio::test]
async fn anothers_inbox_and_messages_are_null() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let bob = bench.person("bob@example.com", "en").await;
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User {
        notifications { nodes { id } } notificationPreferences { topic } } } }";
    for viewer in [&bob, &Viewer::anonymous(), &bob.clone().with_scopes(&["users:read", "orders:read"])] {
        let answer = bench.run(viewer, document, json!({ "r": user(&ada) })).await;
        let nothing = json!({ "notifications": null, "notificationPreferences": null });
        assert_eq!(answer, json!({ "data": { "_entities": [nothing] } }));
    }
    let own = bench.run(&ada, document, json!({ "r": user(&ada) })).await;
    let id = own["data"]["_entities"][0]["notifications"]["nodes"][0]["id"].clone();
    let asked = json!([{ "__typename": "Notification", "id": id }, { "__typename": "Notification", "id": "nonsense" }]);
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Notification { id } } }";
    for (viewer, expected) in [(&ada, json!([{ "id": id }, null])), (&bob, json!([null, null]))] {
        assert_eq!(bench.run(viewer, document, json!({ "r": asked })).await["data"]["_entities"], expected);
    }
}

#[tokio::test]
async fn a_fetch_of_many_orders_takes_one_statement() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let ids: Vec<OrderId> = (0..30).map(|_| bench.ports.ids.next()).collect();
    for id in &ids {
        bench.hear(&order(&bench, *id, ada.user_id(), Confirmed, 1)).await;
    }
    let count = testing::statements(&bench.subgraph, &ada, MESSAGES, json!({ "r": orders(&ids) })).await;
    assert_eq!(count, 1);
    let asked = json!({ "r": user(&ada), "first": 5 });
    assert_eq!(testing::statements(&bench.subgraph, &ada, INBOX, asked).await, 2);
}

#[tokio::test]
async fn whoever_watches_is_told_of_their_own_messages_as_they_come() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let bob = bench.person("bob@example.com", "en").await;
    let document = "subscription { notificationReceived { channel state title order { id } } }";
    let mut stream = bench.subgraph.subscribe(async_graphql::Request::new(document), ada.clone());
    // The first look at the stream begins to watch; nothing is there yet.
    assert!(futures::poll!(stream.next()).is_pending());
    let (bobs, adas) = (bench.ports.ids.next(), bench.ports.ids.next());
    bench.hear(&order(&bench, bobs, bob.user_id(), Confirmed, 1)).await;
    bench.hear(&order(&bench, adas, ada.user_id(), Confirmed, 1)).await;
    let told = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
    let told = serde_json::to_value(&told).unwrap();
    let received = &told["data"]["notificationReceived"];
    assert_eq!((&received["channel"], &received["state"]), (&json!("IN_APP"), &json!("DELIVERED")));
    assert_eq!(received["order"]["id"], json!(adas));
    let mut nobody = bench.subgraph.subscribe(async_graphql::Request::new(document), Viewer::anonymous());
    let refused = serde_json::to_value(nobody.next().await.unwrap()).unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
