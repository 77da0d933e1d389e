//! Search through its schema, on the seeded world and kept current by events: in memory, and with the same assertions
//! on each search engine that the environment names.

use std::time::Duration;

use auth::Viewer;
use common::{Currency, Ids, Money, Timestamp};
use database::ScopedFutureExt;
use events::inventory::InventoryEvent;
use events::orders::{OrderChange, OrderLineSnapshot, OrderSnapshot, OrdersEvent};
use serde_json::{Value, json};
use subgraph::testing::{self, run, statements};

use crate::bench::{SMALL, shop, shops};

#[tokio::test]
async fn a_text_finds_products_by_title_in_any_language_and_by_stock_keeping_unit() {
    for shop in shops().await {
        let product = SMALL.product(5);
        for text in [&product.texts[0].1, &product.texts[1].1, &product.variants[1].sku] {
            let found = shop.ids(&format!("query: {text:?}, first: 5")).await;
            assert!(found.contains(&product.id.to_string()), "{text}");
        }
    }
}

#[tokio::test]
async fn a_misspelt_word_is_corrected_and_said_so() {
    for shop in shops().await {
        let query =
            "query($q: String) { search(query: $q) { totalCount correctedQuery edges { highlight } } }";
        let right = shop.ask(query, json!({ "q": "ceramic" })).await;
        let wrong = shop.ask(query, json!({ "q": "ceramix" })).await;
        assert_eq!(wrong["data"]["search"]["correctedQuery"], "ceramic");
        assert_eq!(right["data"]["search"]["correctedQuery"], Value::Null);
        assert_eq!(wrong["data"]["search"]["totalCount"], right["data"]["search"]["totalCount"]);
        assert!(
            wrong["data"]["search"]["edges"][0]["highlight"].as_str().unwrap().contains("<em>Ceramic</em>")
        );
        let nothing = shop.ask(query, json!({ "q": "xyzzyquux" })).await;
        assert_eq!(nothing["data"]["search"]["totalCount"], 0);
    }
}

#[tokio::test]
async fn facets_count_what_the_other_filters_leave() {
    for shop in shops().await {
        let query = "query($f: SearchFilterInput) { search(filter: $f, first: 100) { totalCount
            edges { product { id } } facets { key label buckets { value label count selected } } } }";
        let all = shop.ask(query, json!({})).await;
        assert_eq!(all["data"]["search"]["totalCount"], SMALL.products);
        let facet = |answer: &Value, key: &str| -> Vec<Value> {
            let facets = answer["data"]["search"]["facets"].as_array().unwrap().clone();
            facets.into_iter().find(|facet| facet["key"] == key).unwrap()["buckets"]
                .as_array()
                .unwrap()
                .clone()
        };
        let brands = facet(&all, "brand");
        assert_eq!(
            brands.iter().map(|bucket| bucket["count"].as_i64().unwrap()).sum::<i64>(),
            i64::from(SMALL.products)
        );
        let brand = &brands[0];
        let filter = json!({ "f": { "facets": [{ "key": "brand", "values": [brand["value"]] }] } });
        let one = shop.ask(query, filter).await;
        assert_eq!(one["data"]["search"]["totalCount"], brand["count"]);
        assert_eq!(
            facet(&one, "brand").len(),
            brands.len(),
            "a facet's own filter does not hide its other values"
        );
        assert_eq!(facet(&one, "brand")[0]["selected"], true);
        let materials = facet(&one, "material");
        assert_eq!(
            materials.iter().map(|bucket| bucket["count"].as_i64().unwrap()).sum::<i64>(),
            brand["count"].as_i64().unwrap()
        );
    }
}

#[tokio::test]
async fn every_order_holds_and_pages_join_without_gap_or_repeat() {
    for shop in shops().await {
        for sort in ["PRICE_ASC", "PRICE_DESC", "NEWEST", "BEST_SELLING", "RATING", "RELEVANCE"] {
            let whole = shop.ids(&format!("sort: {sort}, first: 100")).await;
            assert_eq!(whole.len(), SMALL.products as usize);
            let (mut joined, mut after) = (Vec::new(), Value::Null);
            loop {
                let query = format!(
                    "query($a: String) {{ search(sort: {sort}, first: 7, after: $a) {{ edges {{ product {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
                );
                let page = shop.ask(&query, json!({ "a": after })).await;
                let search = &page["data"]["search"];
                joined.extend(
                    search["edges"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|edge| edge["product"]["id"].as_str().unwrap().to_owned()),
                );
                if search["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = search["pageInfo"]["endCursor"].clone();
            }
            assert_eq!(joined, whole, "{sort}");
        }
        let newest = shop.ids("sort: NEWEST, first: 1").await;
        assert_eq!(newest, [SMALL.product_id(SMALL.products - 1).to_string()]);
    }
}

#[tokio::test]
async fn stock_is_followed_and_a_late_event_changes_nothing() {
    for shop in shops().await {
        let product = SMALL.product(20);
        let tell = async |available: bool, as_of: i64| {
            for variant in &product.variants {
                let event = InventoryEvent {
                    variant: variant.id,
                    product: product.id,
                    available,
                    quantity: 0,
                    as_of: Timestamp(as_of),
                };
                shop.ports
                    .database
                    .transaction(|tx| shop.ports.publish(tx, &event).scope_boxed())
                    .await
                    .unwrap();
            }
            shop.deliver().await;
        };
        let is_found = async || {
            shop.ids("filter: { inStockOnly: true }, first: 100").await.contains(&product.id.to_string())
        };
        tell(true, testing::START.0 + 1).await;
        assert!(is_found().await);
        tell(false, testing::START.0 + 10).await;
        assert!(!is_found().await);
        tell(true, testing::START.0 + 5).await;
        assert!(!is_found().await, "an older event came later");
    }
}

#[tokio::test]
async fn a_question_that_is_given_up_loses_no_change() {
    let shop = shop("memory", "embedded").await;
    let product = SMALL.product(20);
    let id = product.id.to_string();
    let found = || shop.ids("filter: { inStockOnly: true }, first: 100");
    found().await;
    let mut given_up = 0;
    for available in [true, false].repeat(10) {
        for variant in &product.variants {
            let (variant, product) = (variant.id, product.id);
            let as_of = shop.ports.clock.now();
            let event = InventoryEvent { variant, product, available, quantity: 0, as_of };
            let published =
                shop.ports.database.transaction(|tx| shop.ports.publish(tx, &event).scope_boxed()).await;
            published.unwrap();
        }
        shop.ports.clock.advance(Duration::from_secs(1));
        shop.deliver().await;
        // It reads what has changed, and is seldom answered before somebody looks again.
        given_up += usize::from(futures::poll!(Box::pin(found())).is_pending());
        assert_eq!(found().await.contains(&id), available);
    }
    assert!(given_up > 0);
}

#[tokio::test]
async fn a_search_takes_no_statement_once_it_is_warm() {
    for shop in shops().await {
        shop.ids("first: 1").await;
        let query = "{ search(query: \"oak\") { totalCount facets { key } edges { product { id } } } }";
        assert_eq!(statements(&shop.subgraph, &Viewer::anonymous(), query, json!({})).await, 0);
    }
}

#[tokio::test]
async fn recommendations_never_name_the_product_itself_and_are_as_many_as_asked_for() {
    let shop = shop("memory", "embedded").await;
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { recommendations(intent: COMPLEMENTARY, first: 5) { products { id } modelVersion } } } }";
    let product = SMALL.product_id(0).to_string();
    let answer = run(
        &shop.subgraph,
        &Viewer::anonymous(),
        query,
        json!({ "r": [{ "__typename": "Product", "id": product }] }),
    )
    .await;
    let products = answer["data"]["_entities"][0]["recommendations"]["products"].as_array().unwrap();
    assert_eq!(products.len(), 5);
    assert!(products.iter().all(|other| other["id"] != product.as_str()));
}

#[tokio::test]
async fn a_cart_is_shown_what_was_bought_together_with_its_contents_and_nothing_of_them() {
    let shop = shop("memory", "embedded").await;
    let ports = &shop.ports;
    let buy = async |products: [u32; 2]| {
        let zero = Money::zero(Currency::USD);
        let lines = products.map(|number| OrderLineSnapshot {
            id: ports.ids.next(),
            variant: SMALL.variant_id(number, 0),
            product: SMALL.product_id(number),
            title: String::new(),
            quantity: 1,
            total: zero,
        });
        let order = OrderSnapshot {
            id: ports.ids.next(),
            number: "1".into(),
            version: 1,
            customer: None,
            email: String::new(),
            locale: "en".into(),
            total: zero,
            placed_at: testing::START,
            tracking_url: None,
            lines: lines.to_vec(),
        };
        let event = OrdersEvent { change: OrderChange::Confirmed, order };
        ports.database.transaction(|tx| ports.publish(tx, &event).scope_boxed()).await.unwrap();
    };
    // More often than any two products of the seeded orders.
    for _ in 0..30 {
        buy([20, 30]).await;
        buy([21, 31]).await;
    }
    for _ in 0..20 {
        buy([20, 21]).await;
    }
    shop.deliver().await;
    let viewer = Viewer::user(SMALL.user_id(0), Ids::counted().next());
    let recommended = async |contents: &[u32], first: usize| -> Vec<Value> {
        let contents: Vec<_> = contents.iter().map(|number| SMALL.product_id(*number)).collect();
        let query = "query($r: [_Any!]!, $n: Int) { _entities(representations: $r) { ... on Cart {
            recommendations(first: $n) { products { id } } } } }";
        let cart: common::id::CartId = Ids::counted().next();
        let cart = json!({ "__typename": "Cart", "id": cart, "productIds": contents });
        let answer = run(&shop.subgraph, &viewer, query, json!({ "r": [cart], "n": first })).await;
        let products = &answer["data"]["_entities"][0]["recommendations"]["products"];
        products
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .map(|one| one["id"].clone())
            .collect()
    };
    let ids = |numbers: &[u32]| -> Vec<Value> {
        numbers.iter().map(|number| json!(SMALL.product_id(*number))).collect()
    };
    assert_eq!(recommended(&[20], 2).await, ids(&[30, 21]));
    assert_eq!(recommended(&[20, 21], 2).await, ids(&[30, 31]), "each has its say");
    let all = recommended(&[20, 21], 100).await;
    assert!(all.len() > 40, "filled up with what sells");
    assert!(ids(&[20, 21]).iter().all(|inside| !all.contains(inside)));
}

#[tokio::test]
async fn suggestions_name_categories_and_products() {
    for shop in shops().await {
        let query = "query($q: String!) { suggest(query: $q) { text product { id } category { id } } }";
        let answer = shop.ask(query, json!({ "q": "light" })).await;
        let suggestions = answer["data"]["suggest"].as_array().unwrap();
        assert_eq!(suggestions[0]["text"], "Lighting");
        assert_ne!(suggestions[0]["category"], Value::Null);
        let word = SMALL.product(9).texts[0].1.split(' ').next().unwrap().to_lowercase();
        let answer = shop.ask(query, json!({ "q": &word[..4] })).await;
        assert!(
            answer["data"]["suggest"].as_array().unwrap().iter().any(|one| one["product"] != Value::Null),
            "{answer}"
        );
        let empty = shop.ask(query, json!({ "q": "  " })).await;
        assert_eq!(empty["data"]["suggest"], json!([]));
    }
}

#[tokio::test]
async fn what_somebody_looked_at_is_theirs_alone() {
    let shop = shop("memory", "embedded").await;
    let viewer = Viewer::user(SMALL.user_id(0), Ids::counted().next());
    let track = "mutation($e: [TrackEventInput!]!) { trackEvents(events: $e) { accepted } }";
    let events =
        json!({ "e": [{ "type": "view", "productId": SMALL.product_id(3), "at": "2026-11-01T12:00:00Z" }] });
    assert_eq!(run(&shop.subgraph, &viewer, track, events).await["data"]["trackEvents"]["accepted"], true);
    let query =
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { recentlyViewed { id } } } }";
    let own = json!({ "r": [{ "__typename": "User", "id": SMALL.user_id(0) }] });
    let seen = run(&shop.subgraph, &viewer, query, own.clone()).await;
    assert_eq!(seen["data"]["_entities"][0]["recentlyViewed"], json!([{ "id": SMALL.product_id(3) }]));
    let other = Viewer::user(SMALL.user_id(1), Ids::counted().next());
    assert_eq!(
        run(&shop.subgraph, &other, query, own).await["data"]["_entities"][0]["recentlyViewed"],
        Value::Null
    );
}

#[tokio::test]
async fn sales_are_for_those_who_may_see_them() {
    let shop = shop("memory", "embedded").await;
    let query = "{ salesInsights(from: \"2026-01-01T00:00:00Z\", to: \"2026-12-01T00:00:00Z\") { orders units gross { currency } } }";
    let refused = run(&shop.subgraph, &Viewer::anonymous(), query, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let viewer = Viewer::user(SMALL.user_id(0), Ids::counted().next()).with_scopes(&["insights:read"]);
    let answer = run(&shop.subgraph, &viewer, query, json!({})).await;
    let sold: i64 = answer["data"]["salesInsights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["orders"].as_i64().unwrap())
        .sum();
    assert!(sold > 0);
}
