//! What a shopper is promised, as the gateway asks for it.

use std::time::Duration;

use crate::bench::{Bench, shopper, staff};
use async_graphql::{Request, Variables};
use auth::Viewer;
use futures::StreamExt as _;
use serde_json::{Value as Json, json};
use subgraph::testing;

const AVAILABILITY: &str = "query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { id \
                            availability { status quantity } inventoryPolicy { tracked backorder } } } }";

#[tokio::test]
async fn a_hundred_variants_are_counted_in_one_statement() {
    let bench = Bench::new().await;
    bench.location("us-east", "US", true).await;
    let (_, variants) = bench.product(100).await;
    let representations: Vec<Json> =
        variants.iter().map(|id| json!({ "__typename": "ProductVariant", "id": id })).collect();
    let variables = json!({ "r": representations });
    let viewer = Viewer::anonymous();
    let statements = testing::statements(&bench.subgraph, &viewer, AVAILABILITY, variables.clone()).await;
    assert_eq!(statements, 1);
    // And for a moment in none.
    assert_eq!(testing::statements(&bench.subgraph, &viewer, AVAILABILITY, variables).await, 0);
}

#[tokio::test]
async fn products_and_their_variants_take_one_statement_each() {
    let bench = Bench::new().await;
    let mut representations = Vec::new();
    for _ in 0..10 {
        let (product, variants) = bench.product(5).await;
        representations.push(json!({ "__typename": "Product", "id": product }));
        representations.extend(variants.iter().map(|id| json!({ "__typename": "ProductVariant", "id": id })));
    }
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { \
                    ... on Product { availability { status } } ... on ProductVariant { stockLevels { onHand } } } }";
    let statements =
        testing::statements(&bench.subgraph, &staff(), document, json!({ "r": representations })).await;
    assert_eq!(statements, 2);
}

#[tokio::test]
async fn what_nobody_knows_is_null_for_itself_only() {
    let (bench, variant, _) = Bench::with_one(7).await;
    let unknown: common::id::VariantId = bench.ports.ids.next();
    let variables = json!({ "r": [
        { "__typename": "ProductVariant", "id": unknown },
        { "__typename": "ProductVariant", "id": "nonsense" },
        { "__typename": "ProductVariant", "id": variant },
    ] });
    let answer = testing::run(&bench.subgraph, &Viewer::anonymous(), AVAILABILITY, variables).await;
    assert_eq!(
        answer["data"]["_entities"],
        json!([
            { "availability": null, "id": unknown, "inventoryPolicy": null },
            null,
            {
                "availability": { "quantity": 7, "status": "IN_STOCK" }, "id": variant,
                "inventoryPolicy": { "backorder": "DENY", "tracked": true },
            },
        ])
    );
}

#[tokio::test]
async fn a_product_is_as_available_as_its_best_variant() {
    let bench = Bench::new().await;
    let location = bench.location("us-east", "US", true).await;
    let (product, variants) = bench.product(3).await;
    assert_eq!(bench.availability("Product", &product.to_string()).await["status"], "OUT_OF_STOCK");
    bench.put(variants[1], location, 3).await;
    assert_eq!(bench.availability("Product", &product.to_string()).await["status"], "LOW_STOCK");
    bench.put(variants[2], location, 30).await;
    assert_eq!(
        bench.availability("Product", &product.to_string()).await,
        json!({
            "asOf": "2026-11-01T12:00:00.000Z", "available": true, "maxOrderQuantity": 30, "quantity": 30,
            "restockAt": null, "status": "IN_STOCK",
        })
    );
}

#[tokio::test]
async fn what_lies_where_nothing_is_sent_from_is_not_promised() {
    let bench = Bench::new().await;
    let (_, variants) = bench.product(1).await;
    let at_home_only = bench.location("tokyo", "JP", false).await;
    let everywhere = bench.location("us-east", "US", true).await;
    bench.put(variants[0], at_home_only, 4).await;
    bench.put(variants[0], everywhere, 6).await;
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { \
                    jp: availability(countryCode: \"JP\") { quantity } de: availability(countryCode: \"DE\") { quantity } } } }";
    let variables = json!({ "r": [{ "__typename": "ProductVariant", "id": variants[0] }] });
    let answer = testing::run(&bench.subgraph, &Viewer::anonymous(), document, variables).await;
    let counted = &answer["data"]["_entities"][0];
    assert_eq!((&counted["jp"]["quantity"], &counted["de"]["quantity"]), (&json!(10), &json!(6)));
}

#[tokio::test]
async fn who_watches_is_told_when_few_are_left_and_not_before() {
    let (bench, variant, location) = Bench::with_one(100).await;
    let document = "subscription($ids: [ID!]!) { availabilityChanged(variantIds: $ids) { id availability { status quantity } } }";
    let variables = Variables::from_json(json!({ "ids": [variant] }));
    let mut messages =
        bench.subgraph.subscribe(Request::new(document).variables(variables), Viewer::anonymous());
    // The stream begins to watch when it is first asked.
    assert!(futures::poll!(messages.next()).is_pending());
    bench.adjust("one-goes", variant, location, -1, None).await;
    bench.adjust("most-go-1", variant, location, -95, None).await;
    bench.adjust("all-go-12", variant, location, -4, None).await;
    let told: Vec<Json> = [messages.next().await, messages.next().await]
        .into_iter()
        .map(|message| serde_json::to_value(message.unwrap()).unwrap()["data"]["availabilityChanged"].take())
        .collect();
    // Both are read when they are sent, so both show how things are then.
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["availability"], json!({ "status": "OUT_OF_STOCK", "quantity": 0 }));
    assert!(futures::poll!(messages.next()).is_pending());
}

#[tokio::test]
async fn the_others_are_told_what_a_shopper_sees_change() {
    let (bench, variant, location) = Bench::with_one(100).await;
    let order = bench.order();
    bench.adjust("most-go-1", variant, location, -98, None).await;
    bench.reserve(order, &[(variant, 2)]).await;
    bench.ports.clock.advance(Duration::from_secs(3_600));
    assert_eq!(inventory::sweep(&bench.ports).await.unwrap(), 1);
    let events: Vec<(bool, i64)> = messaging::pending(&bench.ports.database)
        .await
        .unwrap()
        .iter()
        .map(|envelope| envelope.open::<events::inventory::InventoryEvent>().unwrap())
        .map(|event| (event.available, event.quantity))
        .collect();
    assert_eq!(events, [(true, 100), (true, 2), (false, 0), (true, 2)]);
}

#[tokio::test]
async fn levels_and_locations_are_for_staff() {
    let (bench, variant, location) = Bench::with_one(7).await;
    let document = "query($r: [_Any!]!) { stockLocations { code } _entities(representations: $r) { \
                    ... on ProductVariant { stockLevels { onHand } } ... on StockLocation { code } } }";
    let variables = json!({ "r": [
        { "__typename": "ProductVariant", "id": variant }, { "__typename": "StockLocation", "id": location },
    ] });
    let answer = testing::run(&bench.subgraph, &shopper(), document, variables.clone()).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let answer = testing::run(&bench.subgraph, &staff(), document, variables).await;
    assert_eq!(
        answer["data"],
        json!({
            "_entities": [{ "stockLevels": [{ "onHand": 7 }] }, { "code": "us-east" }],
            "stockLocations": [{ "code": "us-east" }],
        })
    );
}

#[tokio::test]
async fn the_schema_says_what_is_guarded_and_what_is_hidden() {
    let bench = Bench::new().await;
    let sdl = &bench.subgraph.sdl;
    for line in [
        "stockLevels: [StockLevel!] @requiresScopes(scopes: [[\"inventory:read\"]])",
        "stockLocations: [StockLocation!]! @requiresScopes(scopes: [[\"inventory:read\"]])",
        "type ProductVariant @key(fields: \"id\")",
        "type StockLocation implements Node @key(fields: \"id\")",
        "type InventoryUserError implements UserError",
    ] {
        assert!(sdl.contains(line), "{line} is missing in\n{sdl}");
    }
    let words: Vec<&str> = sdl.split_whitespace().collect();
    let hidden = words.windows(2).filter(|pair| *pair == ["ServiceCall!", "@inaccessible"]).count();
    assert_eq!(hidden, 3, "{sdl}");
}
