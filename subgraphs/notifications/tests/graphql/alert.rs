//! Alerts for what is sold out.

use std::sync::Arc;

use auth::Viewer;
use common::id::VariantId;
use events::inventory::InventoryEvent;
use serde_json::{Value, json};

use crate::{Bench, code, product, write};

impl Bench {
    async fn wait_for(&self, viewer: &Viewer, variant: &str, email: Option<&str>) -> Value {
        let input = json!({ "variantId": variant, "email": email });
        let payload = "{ ok userErrors { code field } }";
        self.mutate(viewer, "stockAlertCreate", payload, "StockAlertInput!", input).await
    }

    async fn stock(&self, variant: VariantId, available: bool) {
        let event = InventoryEvent {
            variant,
            product: self.ports.ids.next(),
            available,
            quantity: i64::from(available),
            as_of: self.ports.clock.now(),
        };
        self.hear(&event).await;
    }
}

#[tokio::test]
async fn whoever_waits_is_told_once_when_a_variant_is_back() {
    let bench = Bench::new().await;
    let variant = bench.article().await;
    let ada = bench.person("ada@example.com", "de").await;
    let id = variant.to_string();
    for _ in 0..3 {
        assert_eq!(bench.wait_for(&ada, &id, None).await, json!({ "ok": true, "userErrors": [] }));
        assert_eq!(bench.wait_for(&Viewer::anonymous(), &id, Some(" Guest@Example.com")).await["ok"], true);
    }
    bench.stock(variant, false).await;
    bench.settled().await;
    bench.no_more_mail().await;
    bench.stock(variant, true).await;
    bench.stock(variant, true).await;
    let mut told = [bench.mail().await, bench.mail().await];
    told.sort_by(|one, other| one.recipient.cmp(&other.recipient));
    bench.settled().await;
    bench.no_more_mail().await;
    assert_eq!(told.each_ref().map(|mail| mail.recipient.as_str()), ["ada@example.com", "guest@example.com"]);
    assert_eq!(
        told.each_ref().map(|mail| mail.title.as_str()),
        ["Eichenschale ist wieder da", "Oak Bowl is back"]
    );
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User {
        notifications(first: 1) { nodes { topic variant { id } } } } } }";
    let asked = json!({ "r": [{ "__typename": "User", "id": ada.user_id().unwrap() }] });
    let inbox = bench.run(&ada, document, asked).await;
    let node = &inbox["data"]["_entities"][0]["notifications"]["nodes"][0];
    assert_eq!(node, &json!({ "topic": "BACK_IN_STOCK", "variant": { "id": id } }));
}

#[tokio::test]
async fn whoever_was_told_may_wait_again() {
    let bench = Bench::new().await;
    let variant = bench.article().await;
    let guest = Viewer::anonymous();
    for _ in 0..2 {
        bench.wait_for(&guest, &variant.to_string(), Some("guest@example.com")).await;
        bench.stock(variant, true).await;
        assert_eq!(bench.mail().await.recipient, "guest@example.com");
        bench.settled().await;
        bench.ports.clock.advance(std::time::Duration::from_secs(1));
    }
}

#[tokio::test]
async fn alerts_need_a_variant_that_there_is_and_an_address() {
    let bench = Bench::new().await;
    let variant = bench.article().await.to_string();
    let unknown = bench.ports.ids.next::<common::id::Variant>().to_string();
    let guest = Viewer::anonymous();
    let cases = [
        (variant.as_str(), None, "INVALID", "email"),
        (variant.as_str(), Some("guest@"), "INVALID", "email"),
        (unknown.as_str(), Some("guest@example.com"), "NOT_FOUND", "variantId"),
    ];
    for (id, email, expected, field) in cases {
        let answer = bench.wait_for(&guest, id, email).await;
        assert_eq!((code(&answer), &answer["ok"]), (expected, &json!(false)));
        assert_eq!(answer["userErrors"][0]["field"], json!(["input", field]));
    }
    let document = "mutation { stockAlertCreate(input: { variantId: \"prod_1\" }) { ok } }";
    let answer = bench.run(&guest, document, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_address_waits_for_a_bounded_number_of_things() {
    let bench = Bench::new().await;
    let variant = bench.article().await;
    for number in 0..100u8 {
        let other = format!("{number:032x}");
        // Sixteen bytes, written the same way on both databases.
        let row = format!("INSERT INTO stock_alert VALUES (x'{other}', 'guest@example.com', NULL, 'en', 0)");
        write(&bench, &row).await;
    }
    let answer = bench.wait_for(&Viewer::anonymous(), &variant.to_string(), Some("guest@example.com")).await;
    assert_eq!(code(&answer), "INVALID");
}

#[tokio::test]
async fn an_older_name_never_replaces_a_newer_one() {
    let bench = Bench::new().await;
    let variant: VariantId = bench.ports.ids.next();
    bench.hear(&product(&bench, variant, 2, "Oak Bowl", "Eichenschale")).await;
    bench.hear(&product(&bench, variant, 1, "Bowl", "Schale")).await;
    bench.wait_for(&Viewer::anonymous(), &variant.to_string(), Some("guest@example.com")).await;
    bench.stock(variant, true).await;
    assert_eq!(bench.mail().await.title, "Oak Bowl is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_asked_for_at_once_are_told_once() {
    let bench = Arc::new(Bench::new().await);
    let variant = bench.article().await;
    let runtime = tokio::runtime::Handle::current();
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let bench = Arc::clone(&bench);
            runtime.spawn(async move {
                let guest = Viewer::anonymous();
                bench.wait_for(&guest, &variant.to_string(), Some("guest@example.com")).await
            })
        })
        .collect();
    for answer in futures::future::join_all(asked).await {
        assert_eq!(answer.unwrap()["ok"], true);
    }
    bench.stock(variant, true).await;
    bench.mail().await;
    bench.settled().await;
    bench.no_more_mail().await;
    assert_eq!(bench.states("EMAIL").await, ["SENT"]);
}
