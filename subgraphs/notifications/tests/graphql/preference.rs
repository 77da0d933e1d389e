//! What users want to hear.

use auth::Viewer;
use events::orders::OrderChange::Confirmed;
use serde_json::{Value, json};

use crate::{Bench, code, order};

const PAYLOAD: &str = "{ preferences { topic channels } userErrors { code field message } }";

impl Bench {
    async fn choose(&self, viewer: &Viewer, choices: Value) -> Value {
        let kind = "[NotificationPreferenceInput!]!";
        self.mutate(viewer, "notificationPreferencesSet", PAYLOAD, kind, choices).await
    }
}

#[tokio::test]
async fn topics_have_defaults_and_keep_what_was_chosen() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let chosen = bench
        .choose(
            &ada,
            json!([{ "topic": "ORDER", "channels": ["IN_APP"] }, { "topic": "MARKETING", "channels": ["EMAIL"] }]),
        )
        .await;
    insta::assert_json_snapshot!(chosen);
    let again = bench.choose(&ada, json!([{ "topic": "ORDER", "channels": [] }])).await;
    assert_eq!(again["preferences"][0], json!({ "topic": "ORDER", "channels": [] }));
    assert_eq!(again["preferences"][5], json!({ "topic": "MARKETING", "channels": ["EMAIL"] }));
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User {
        notificationPreferences { topic channels } } } }";
    let asked = json!({ "r": [{ "__typename": "User", "id": ada.user_id().unwrap() }] });
    let read = bench.run(&ada, document, asked).await;
    assert_eq!(read["data"]["_entities"][0]["notificationPreferences"], again["preferences"]);
}

#[tokio::test]
async fn what_cannot_be_chosen_is_refused_and_changes_nothing() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let before = bench.choose(&ada, json!([])).await["preferences"].clone();
    let good = json!({ "topic": "ORDER", "channels": [] });
    let cases = [
        (json!([good, { "topic": "SECURITY", "channels": ["IN_APP"] }]), json!(["input", "1", "channels"])),
        (json!([good, { "topic": "SHIPPING", "channels": ["SMS"] }]), json!(["input", "1", "channels"])),
        (json!([good, good]), json!(["input", "1", "topic"])),
    ];
    for (choices, field) in cases {
        let answer = bench.choose(&ada, choices).await;
        assert_eq!((code(&answer), &answer["preferences"]), ("INVALID", &json!(null)));
        assert_eq!(answer["userErrors"][0]["field"], field);
    }
    assert_eq!(bench.choose(&ada, json!([])).await["preferences"], before);
    let document = "mutation { notificationPreferencesSet(input: []) { userErrors { code } } }";
    let nobody = bench.run(&Viewer::anonymous(), document, json!({})).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_user_hears_only_through_what_they_chose_and_support_sees_why_no_mail_came() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    bench.choose(&ada, json!([{ "topic": "ORDER", "channels": [] }])).await;
    let id: common::id::OrderId = bench.ports.ids.next();
    bench.hear(&order(&bench, id, ada.user_id(), Confirmed, 1)).await;
    bench.settled().await;
    bench.no_more_mail().await;
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Order {
        messages { channel state } } } }";
    let asked = json!({ "r": [{ "__typename": "Order", "id": id }] });
    let seen = bench.run(&Viewer::service("orders"), document, asked).await;
    let expected = json!([{ "channel": "EMAIL", "state": "SUPPRESSED" }]);
    assert_eq!(seen["data"]["_entities"][0]["messages"], expected);
}
