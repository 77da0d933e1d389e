//! Who may see what.

use auth::Viewer;
use serde_json::{Value as Json, json};
use subgraph::testing;

use crate::bench::{Bench, Checkout, finance, shopper, stranger};

const ORDER: &str = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payments { state \
                     transactions { kind } refunds { state } } \
                     paymentSummary { due { amountMinor } captured { amountMinor } } } } }";

async fn order(bench: &Bench, viewer: &Viewer, checkout: Checkout) -> Json {
    let variables = json!({ "r": [{ "__typename": "Order", "id": checkout.order }] });
    let mut answer = testing::run(&bench.subgraph, viewer, ORDER, variables).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["_entities"][0].take()
}

#[tokio::test]
async fn a_payment_is_seen_by_its_customer_and_by_staff() {
    let bench = Bench::new().await;
    let checkout = bench.checkout();
    let payment = bench.authorized(checkout).await;
    for viewer in [shopper(), finance(), Viewer::service("orders")] {
        let seen = order(&bench, &viewer, checkout).await;
        assert_eq!(seen["payments"][0]["state"], "AUTHORIZED");
        assert_eq!(seen["paymentSummary"]["due"]["amountMinor"], 10_000);
    }
    for viewer in [stranger(), Viewer::anonymous()] {
        let seen = order(&bench, &viewer, checkout).await;
        assert_eq!(seen, json!({ "payments": null, "paymentSummary": null }));
        let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Payment { state } } }";
        let variables = json!({ "r": [{ "__typename": "Payment", "id": payment }] });
        let answer = testing::run(&bench.subgraph, &viewer, document, variables).await;
        assert_eq!(answer["data"]["_entities"], json!([null]));
    }
    let document = "query($id: ID!) { payment(id: $id) { state } }";
    let answer = testing::run(&bench.subgraph, &shopper(), document, json!({ "id": payment })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_guests_payment_is_seen_by_who_knows_the_orders_id() {
    let bench = Bench::new().await;
    let checkout = Checkout { customer: None, ..bench.checkout() };
    bench.authorized(checkout).await;
    let seen = order(&bench, &Viewer::anonymous(), checkout).await;
    assert_eq!(seen["payments"][0]["state"], "AUTHORIZED");
}

#[tokio::test]
async fn the_payments_of_many_orders_are_read_in_one_statement_for_each_type() {
    let bench = Bench::new().await;
    let mut representations = Vec::new();
    for _ in 0..20 {
        let checkout = bench.checkout();
        bench.authorized(checkout).await;
        representations.push(json!({ "__typename": "Order", "id": checkout.order }));
    }
    let variables = json!({ "r": representations });
    // Payments, their transactions, their refunds.
    assert_eq!(testing::statements(&bench.subgraph, &shopper(), ORDER, variables).await, 3);
}

#[tokio::test]
async fn a_wallet_is_seen_by_its_owner() {
    let bench = Bench::new().await;
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { \
                    paymentMethods { last4 } giftCards { last4 } } } }";
    let variables = json!({ "r": [{ "__typename": "User", "id": shopper().user_id() }] });
    let answer = testing::run(&bench.subgraph, &shopper(), document, variables.clone()).await;
    assert_eq!(answer["data"]["_entities"], json!([{ "paymentMethods": [], "giftCards": [] }]));
    let answer = testing::run(&bench.subgraph, &stranger(), document, variables).await;
    assert_eq!(answer["data"]["_entities"], json!([{ "paymentMethods": null, "giftCards": null }]));
}

#[tokio::test]
async fn a_cart_is_told_how_it_can_be_paid_for() {
    let bench = Bench::new().await;
    let cart: common::id::CartId = bench.ports.ids.next();
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Cart { \
                    availablePaymentMethods { code title supportsStored } } } }";
    let variables =
        json!({ "r": [{ "__typename": "Cart", "id": cart, "currency": "EUR", "countryCode": null }] });
    let answer = testing::run(&bench.subgraph, &Viewer::anonymous(), document, variables).await;
    let card = json!({ "code": "card", "title": "Card", "supportsStored": true });
    assert_eq!(answer["data"]["_entities"], json!([{ "availablePaymentMethods": [card] }]));
}

#[tokio::test]
async fn the_schema_says_what_is_guarded_hidden_and_required() {
    let bench = Bench::new().await;
    let sdl = &bench.subgraph.sdl;
    for line in [
        "@requires(fields: \"currency countryCode\")",
        "currency: CurrencyCode! @external",
        "countryCode: CountryCode @external",
        "type Cart @key(fields: \"id\")",
        "type Payment implements Node @key(fields: \"id\")",
        "type PaymentUserError implements UserError",
    ] {
        assert!(sdl.contains(line), "{line} is missing in\n{sdl}");
    }
    let words: Vec<&str> = sdl.split_whitespace().collect();
    let hidden = words.windows(2).filter(|pair| *pair == ["ServiceCall!", "@inaccessible"]).count();
    assert_eq!(hidden, 3, "{sdl}");
}
