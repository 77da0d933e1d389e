//! Endpoints of partners.

use auth::Viewer;
use serde_json::{Value, json};

use crate::{Bench, code};

const PAYLOAD: &str = "{ endpoint { id url events active } signingSecret userErrors { code field message } }";

impl Bench {
    fn admin(&self) -> Viewer {
        Viewer::user(self.ports.ids.next(), self.ports.ids.next())
            .with_scopes(&["webhooks:read", "webhooks:write"])
    }

    async fn upsert(&self, input: Value) -> Value {
        self.mutate(&self.admin(), "webhookUpsert", PAYLOAD, "WebhookUpsertInput!", input).await
    }
}

#[tokio::test]
async fn an_endpoint_shows_its_secret_once() {
    let bench = Bench::new().await;
    let input = json!({ "url": "https://example.com/hook", "events": ["stock.changed", "order.confirmed"] });
    let made = bench.upsert(input).await;
    assert!(made["signingSecret"].as_str().unwrap().starts_with("whsec_"));
    let id = made["endpoint"]["id"].clone();
    let change = json!({ "id": id, "url": "https://example.com/other", "events": ["*"] });
    let changed = bench.upsert(change).await;
    let expected = json!({ "id": id, "url": "https://example.com/other", "events": ["*"], "active": true });
    assert_eq!((&changed["endpoint"], &changed["signingSecret"]), (&expected, &json!(null)));
    let document = "{ webhookEndpoints { id url events active deliveries { id } } }";
    let listed = bench.run(&bench.admin(), document, json!({})).await;
    let mut expected = expected;
    expected["deliveries"] = json!([]);
    assert_eq!(listed["data"]["webhookEndpoints"], json!([expected]));
}

#[tokio::test]
async fn what_cannot_be_called_is_refused() {
    let bench = Bench::new().await;
    let cases = [
        (json!({ "url": "ftp://example.com", "events": ["*"] }), "INVALID", "url"),
        (json!({ "url": "https://example.com", "events": [] }), "INVALID", "events"),
        (json!({ "url": "https://example.com", "events": ["order.eaten"] }), "INVALID", "events"),
        (
            json!({ "id": bench.ports.ids.next::<common::id::Webhook>(), "url": "https://example.com", "events": ["*"] }),
            "NOT_FOUND",
            "id",
        ),
    ];
    for (input, expected, field) in cases {
        let answer = bench.upsert(input).await;
        assert_eq!((code(&answer), &answer["endpoint"]), (expected, &json!(null)));
        assert_eq!(answer["userErrors"][0]["field"], json!(["input", field]));
    }
}

#[tokio::test]
async fn replay_says_that_it_is_not_offered() {
    let bench = Bench::new().await;
    let made = bench.upsert(json!({ "url": "https://example.com/hook", "events": ["*"] })).await;
    let document = "mutation R($e: ID!, $f: ID!) { webhookReplay(endpointId: $e, fromEventId: $f) {
        endpoint { id } userErrors { code message } } }";
    let event = bench.ports.ids.next::<common::id::Event>();
    let replay = async |endpoint: Value| {
        let answer = bench.run(&bench.admin(), document, json!({ "e": endpoint, "f": event })).await;
        answer["data"]["webhookReplay"].clone()
    };
    assert_eq!(code(&replay(made["endpoint"]["id"].clone()).await), "INVALID");
    let unknown = json!(bench.ports.ids.next::<common::id::Webhook>());
    assert_eq!(code(&replay(unknown).await), "NOT_FOUND");
}

#[tokio::test]
async fn endpoints_are_for_holders_of_the_scopes() {
    let bench = Bench::new().await;
    let made = bench.upsert(json!({ "url": "https://example.com/hook", "events": ["*"] })).await;
    let shopper = Viewer::user(bench.ports.ids.next(), bench.ports.ids.next());
    let read = "{ webhookEndpoints { id } }";
    let write = "mutation { webhookUpsert(input: { url: \"https://example.com\", events: [\"*\"] }) { endpoint { id } } }";
    for (viewer, refused) in [(&shopper, "FORBIDDEN"), (&Viewer::anonymous(), "UNAUTHENTICATED")] {
        for document in [read, write] {
            let answer = bench.run(viewer, document, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], refused, "{document}");
        }
    }
    let document =
        "query E($r: [_Any!]!) { _entities(representations: $r) { ... on WebhookEndpoint { url } } }";
    let asked = json!({ "r": [{ "__typename": "WebhookEndpoint", "id": made["endpoint"]["id"] }] });
    let url = json!([{ "url": "https://example.com/hook" }]);
    for (viewer, expected) in [(&shopper, json!([null])), (&bench.admin(), url)] {
        assert_eq!(bench.run(viewer, document, asked.clone()).await["data"]["_entities"], expected);
    }
}
