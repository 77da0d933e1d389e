//! Address books.

use std::sync::Arc;

use auth::Viewer;
use serde_json::{Value, json};

use crate::{Bench, at_once, code};

const SELECTION: &str = "address { id kind recipient line1 line2 city region postalCode countryCode phone }
    userErrors { code field message }";
const BOOK: &str = "{ me { version defaultShippingAddress { id } defaultBillingAddress { id }
    addresses { nodes { id line1 } } } }";

fn home() -> Value {
    json!({
        "kind": "BOTH", "recipient": " Ada King ", "line1": "12 St James's Square", "line2": "",
        "city": "London", "postalCode": "sw1y 4jh", "countryCode": "GB", "phone": "+44 20 7946 0000",
    })
}

fn with(mut address: Value, changes: Value) -> Value {
    let fields = address.as_object_mut().unwrap();
    fields.extend(changes.as_object().unwrap().clone());
    address
}

impl Bench {
    async fn keep(&self, viewer: &Viewer, address: Value) -> Value {
        self.mutate(viewer, "addressUpsert", SELECTION, address).await
    }

    async fn book(&self, viewer: &Viewer) -> Value {
        self.run(viewer, BOOK, json!({})).await["data"]["me"].clone()
    }
}

#[tokio::test]
async fn an_address_is_kept_tidily_and_the_first_becomes_the_default() {
    let bench = Bench::new().await;
    let ada = bench.newcomer("ada@example.com").await.viewer;
    // Read before, so that the change must reach what is kept in memory.
    assert_eq!(bench.book(&ada).await["defaultShippingAddress"], json!(null));
    let kept = bench.keep(&ada, home()).await;
    insta::assert_json_snapshot!(kept);
    let id = &kept["address"]["id"];
    let book = bench.book(&ada).await;
    assert_eq!(book["version"], 2);
    assert_eq!((&book["defaultShippingAddress"]["id"], &book["defaultBillingAddress"]["id"]), (id, id));
}

#[tokio::test]
async fn changing_what_an_address_is_for_moves_the_defaults() {
    let bench = Bench::new().await;
    let ada = bench.newcomer("ada@example.com").await.viewer;
    let first = bench.keep(&ada, home()).await["address"]["id"].clone();
    let second = bench.keep(&ada, with(home(), json!({ "line1": "Second" }))).await["address"]["id"].clone();
    let change = json!({ "id": first, "kind": "BILLING", "line1": "Moved" });
    let changed = bench.keep(&ada, with(home(), change)).await;
    assert_eq!((&changed["address"]["id"], &changed["address"]["line1"]), (&first, &json!("Moved")));
    let book = bench.book(&ada).await;
    assert_eq!(book["defaultShippingAddress"]["id"], second);
    assert_eq!(book["defaultBillingAddress"]["id"], first);
    let lines = json!([{ "id": first, "line1": "Moved" }, { "id": second, "line1": "Second" }]);
    assert_eq!(book["addresses"]["nodes"], lines);
}

#[tokio::test]
async fn what_cannot_be_delivered_to_is_refused_by_field() {
    let bench = Bench::new().await;
    let ada = bench.newcomer("ada@example.com").await.viewer;
    let cases = [
        (json!({ "recipient": "  " }), "recipient"),
        (json!({ "line1": "x".repeat(201) }), "line1"),
        (json!({ "city": "a\nb" }), "city"),
        (json!({ "postalCode": "12345" }), "postalCode"),
        (json!({ "postalCode": null, "countryCode": "US" }), "postalCode"),
        (json!({ "countryCode": "XX" }), "countryCode"),
        (json!({ "phone": "12345" }), "phone"),
    ];
    for (change, field) in cases {
        let answer = bench.keep(&ada, with(home(), change)).await;
        assert_eq!((code(&answer), &answer["address"]), ("INVALID", &json!(null)), "{field}");
        assert_eq!(answer["userErrors"][0]["field"], json!(["input", field]));
    }
    assert_eq!(bench.book(&ada).await["addresses"]["nodes"], json!([]));
}

#[tokio::test]
async fn anothers_address_is_neither_changed_nor_shown() {
    let bench = Bench::new().await;
    let ada = bench.newcomer("ada@example.com").await.viewer;
    let bob = bench.newcomer("bob@example.com").await.viewer;
    let id = bench.keep(&ada, home()).await["address"]["id"].clone();
    let answer = bench.keep(&bob, with(home(), json!({ "id": id, "line1": "Mine" }))).await;
    assert_eq!((code(&answer), &answer["address"]), ("NOT_FOUND", &json!(null)));
    assert_eq!(bench.book(&ada).await["addresses"]["nodes"][0]["line1"], "12 St James's Square");
    assert_eq!(bench.book(&bob).await["addresses"]["nodes"], json!([]));
    let nobody = "mutation M($i: AddressUpsertInput!) { addressUpsert(input: $i) { userErrors { code } } }";
    let answer = bench.run(&Viewer::anonymous(), nobody, json!({ "i": home() })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_long_book_is_read_page_by_page_and_has_an_end() {
    let bench = Bench::new().await;
    let ada = bench.newcomer("ada@example.com").await.viewer;
    for number in 0..100 {
        assert_eq!(
            bench.keep(&ada, with(home(), json!({ "line1": format!("{number}") }))).await["userErrors"],
            json!([])
        );
    }
    assert_eq!(code(&bench.keep(&ada, home()).await), "INVALID");
    let document = "query B($after: String) { me { addresses(first: 40, after: $after) {
        nodes { line1 } edges { cursor node { line1 } } pageInfo { hasNextPage endCursor } } } }";
    let (mut after, mut seen) = (json!(null), Vec::new());
    loop {
        let page =
            bench.run(&ada, document, json!({ "after": after })).await["data"]["me"]["addresses"].clone();
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["line1"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let all: Vec<Value> = (0..100).map(|number| json!(number.to_string())).collect();
    assert_eq!(seen, all);
    let long = bench.run(&ada, "{ me { addresses(first: 101) { nodes { id } } } }", json!({})).await;
    assert_eq!(long["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_added_at_once_are_all_kept_and_one_is_the_default() {
    let bench = Arc::new(Bench::new().await);
    let ada = Arc::new(bench.newcomer("ada@example.com").await.viewer);
    let added = at_once(&bench, 10, |bench, _| {
        let ada = Arc::clone(&ada);
        async move { bench.keep(&ada, home()).await }
    });
    for answer in added.await {
        assert_eq!(answer["userErrors"], json!([]));
    }
    let book = bench.book(&ada).await;
    assert_eq!(book["addresses"]["nodes"].as_array().unwrap().len(), 10);
    // The first in the book was not always the first to be added; either way the default changed once.
    assert_eq!(book["version"], 2);
    assert!(book["defaultShippingAddress"]["id"].is_string());
}

#[tokio::test]
async fn other_subgraphs_read_an_address_of_the_user_they_ask_for_and_nobody_else_does() {
    let bench = Bench::new().await;
    let seeded = seed::World { seed: 1, products: 1, users: 2, orders: 0 };
    users::seed(&bench.ports, &seeded, &subgraph::seeding::Progress::silent()).await.unwrap();
    let (owner, other) = (seeded.user(0), seeded.user(1));
    let read = "query($r: ServiceCall!) { reply: addressRead(request: $r) }";
    let asked = |user: &seed::SeedUser| json!({ "r": { "address": owner.address.id, "user": user.id } });
    let service = Viewer::service("cart");
    let answer = bench.run(&service, read, asked(&owner)).await;
    assert_eq!(answer["data"]["reply"]["line1"], owner.address.line1.as_str());
    assert_eq!(answer["data"]["reply"]["country"], owner.address.country);
    assert_eq!(bench.run(&service, read, asked(&other)).await["data"]["reply"], Value::Null);
    let shopper = Viewer::user(owner.id, bench.ports.ids.next());
    let refused = bench.run(&shopper, read, asked(&owner)).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
