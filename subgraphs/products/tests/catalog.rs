//! The catalogue through its schema: what front ends ask, and what the gateway asks.

use std::time::Duration;

use auth::Viewer;
use common::Ids;
use database::ScopedFutureExt;
use events::orders::{OrderChange, OrderLineSnapshot, OrderSnapshot, OrdersEvent};
use events::products::ProductsEvent;
use seed::World;
use serde_json::{Value, json};
use subgraph::seeding::Progress;
use subgraph::testing::{self, Folder, run, run_amid_others, statements};
use subgraph::{Ports, Subgraph};

const SMALL: World = World { seed: 1, products: 20, users: 30, orders: 10 };

async fn shop() -> (Subgraph, Ports, Folder) {
    let (ports, folder) = testing::ports(products::NAME, products::migrations).await;
    products::seed(&ports, &SMALL, &Progress::silent()).await.expect("a fresh database can be filled");
    (products::build(&ports), ports, folder)
}

fn shopper() -> Viewer {
    Viewer::user(SMALL.user_id(0), Ids::counted().next())
}

#[tokio::test]
async fn a_product_page_shows_what_the_seed_says() {
    let (shop, _ports, _folder) = shop().await;
    let seeded = SMALL.product(4);
    let page = run(
        &shop,
        &Viewer::anonymous(),
        "query($slug: String!) { product(slug: $slug) { id title category { slug parent { slug } } images { url }
           attributes { key value } priceRange { min { amountMinor currency amount } }
           variants(first: 50) { nodes { id sku options { name value } listPrice { amountMinor } } pageInfo { hasNextPage } } } }",
        json!({ "slug": seeded.slug }),
    )
    .await;
    let product = &page["data"]["product"];
    assert_eq!(product["id"], seeded.id.to_string());
    assert_eq!(product["title"], seeded.texts[0].1.as_str());
    assert_eq!(product["category"]["slug"], "tableware");
    assert_eq!(product["category"]["parent"]["slug"], "kitchen");
    assert_eq!(product["variants"]["nodes"].as_array().unwrap().len(), seeded.variants.len());
    assert_eq!(
        product["variants"]["nodes"][0]["listPrice"]["amountMinor"],
        seeded.variants[0].prices[0].list.minor
    );
    assert_eq!(product["variants"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn texts_come_in_the_language_of_the_request() {
    let (shop, _ports, _folder) = shop().await;
    let mut viewer = Viewer::anonymous();
    viewer.context.locale = "de-AT".into();
    let seeded = SMALL.product(2);
    let page =
        run(&shop, &viewer, "query($id: ID!) { product(id: $id) { title } }", json!({ "id": seeded.id }))
            .await;
    assert_eq!(page["data"]["product"]["title"], seeded.texts[1].1.as_str());
}

#[tokio::test]
async fn a_product_that_a_channel_hides_is_not_there() {
    let (shop, _ports, _folder) = shop().await;
    let mut viewer = Viewer::anonymous();
    let query = "query($id: ID!) { product(id: $id) { id } }";
    let hidden = json!({ "id": SMALL.product_id(11) });
    assert_ne!(run(&shop, &viewer, query, hidden.clone()).await["data"]["product"], Value::Null);
    viewer.context.channel = "eu".into();
    assert_eq!(run(&shop, &viewer, query, hidden).await["data"]["product"], Value::Null);
}

#[tokio::test]
async fn pages_of_a_category_follow_each_other_without_gap_or_repeat() {
    let (shop, _ports, _folder) = shop().await;
    let query = "query($after: String) { category(slug: \"home\") { products(first: 2, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = run(&shop, &Viewer::anonymous(), query, json!({ "after": after })).await;
        let products = &page["data"]["category"]["products"];
        seen.extend(
            products["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()),
        );
        if products["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = products["pageInfo"]["endCursor"].clone();
    }
    let expected = (0..SMALL.products).filter(|product| SMALL.category_of(*product) < 3).count();
    assert_eq!(seen.len(), expected);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), expected);
}

#[tokio::test]
async fn a_hundred_references_take_one_statement_per_type() {
    let (shop, _ports, _folder) = shop().await;
    let mut representations = Vec::new();
    for product in 0..SMALL.products {
        representations.push(json!({ "__typename": "Product", "id": SMALL.product_id(product) }));
        representations.push(json!({ "__typename": "ProductVariant", "id": SMALL.variant_id(product, 0) }));
    }
    representations.push(json!({ "__typename": "Product", "id": "prod_00000000000000000000000000" }));
    let query = "query($r: [_Any!]!) { _entities(representations: $r) {
        ... on Product { title } ... on ProductVariant { sku product { slug } } } }";
    let variables = json!({ "r": representations });
    assert_eq!(statements(&shop, &Viewer::anonymous(), query, variables.clone()).await, 2);
    let answer = run(&shop, &Viewer::anonymous(), query, variables.clone()).await;
    let entities = answer["data"]["_entities"].as_array().unwrap();
    assert_eq!(entities.len(), 41);
    assert!(entities[..40].iter().all(|entity| !entity.is_null()), "{answer}");
    assert_eq!(entities[40], Value::Null);
    assert_eq!(
        statements(&shop, &Viewer::anonymous(), query, variables).await,
        1,
        "all but the unknown one are in memory"
    );
}

#[tokio::test]
async fn a_review_is_written_once_counted_and_marked_if_its_author_bought() {
    let (shop, ports, _folder) = shop().await;
    let bought = SMALL.product_id(19);
    let mutation = "mutation($i: ReviewCreateInput!) { reviewCreate(input: $i) {
        review { rating verifiedPurchase author { id } } userErrors { code field } } }";
    let input = |product: common::id::ProductId, rating: i32| json!({ "i": { "productId": product, "rating": rating } });
    let viewer = Viewer::user(Ids::random(common::Clock::system()).next(), Ids::counted().next());

    let event = confirmed_order(viewer.user_id().unwrap(), bought);
    ports.database.transaction(|tx| ports.publish(tx, &event).scope_boxed()).await.unwrap();
    testing::deliver(&ports, &shop).await.unwrap();
    testing::deliver(&ports, &shop).await.unwrap();

    let first = run(&shop, &viewer, mutation, input(bought, 4)).await;
    assert_eq!(first["data"]["reviewCreate"]["review"]["verifiedPurchase"], true, "{first}");
    let again = run(&shop, &viewer, mutation, input(bought, 5)).await;
    assert_eq!(again["data"]["reviewCreate"]["userErrors"][0]["code"], "NOT_ELIGIBLE");
    let other = run(&shop, &viewer, mutation, input(SMALL.product_id(18), 5)).await;
    assert_eq!(other["data"]["reviewCreate"]["review"]["verifiedPurchase"], false);
    let bad = run(&shop, &viewer, mutation, input(bought, 6)).await;
    assert_eq!(
        bad["data"]["reviewCreate"]["userErrors"][0],
        json!({ "code": "INVALID", "field": ["input", "rating"] })
    );

    let count = "query($id: ID!) { product(id: $id) { ratingCount reviews(first: 1) { nodes { rating } } } }";
    let product = run(&shop, &viewer, count, json!({ "id": bought })).await;
    let before = i64::try_from(SMALL.reviews(19).len()).unwrap();
    assert_eq!(product["data"]["product"]["ratingCount"], before + 1);
    assert_eq!(product["data"]["product"]["reviews"]["nodes"][0]["rating"], 4);
}

#[tokio::test]
async fn nobody_writes_without_being_allowed() {
    let (shop, _ports, _folder) = shop().await;
    let review = "mutation { reviewCreate(input: { productId: \"prod_x\", rating: 1 }) { review { id } } }";
    let refused = run(&shop, &Viewer::anonymous(), review, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let upsert = "mutation { productUpsert(input: { slug: \"x\", title: \"X\" }) { product { id } } }";
    let refused = run(&shop, &shopper(), upsert, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_change_of_a_product_is_seen_at_once_and_told_to_others() {
    let (shop, ports, _folder) = shop().await;
    let editor = shopper().with_scopes(&["catalog:write"]);
    let query = "query($id: ID!) { product(id: $id) { slug title version } }";
    let id = SMALL.product_id(0);
    run(&shop, &editor, query, json!({ "id": id })).await;
    let mutation = "mutation($i: ProductUpsertInput!) { productUpsert(input: $i) { product { version } userErrors { code } } }";
    let input = json!({ "i": { "id": id, "slug": "new-slug", "title": "New", "expectedVersion": 1 } });
    let changed = run(&shop, &editor, mutation, input.clone()).await;
    assert_eq!(changed["data"]["productUpsert"]["product"]["version"], 2, "{changed}");
    let seen = run(&shop, &editor, query, json!({ "id": id })).await;
    assert_eq!(seen["data"]["product"], json!({ "slug": "new-slug", "title": "New", "version": 2 }));
    let late = run(&shop, &editor, mutation, input).await;
    assert_eq!(late["data"]["productUpsert"]["userErrors"][0]["code"], "VERSION_CONFLICT");
    let taken = json!({ "i": { "slug": "new-slug", "title": "Other" } });
    let taken = run(&shop, &editor, mutation, taken).await;
    assert_eq!(taken["data"]["productUpsert"]["userErrors"][0]["code"], "SLUG_TAKEN");
    assert_eq!(messaging::pending(&ports.database).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_that_nobody_waits_for_any_more_is_made_and_seen() {
    let (shop, _ports, _folder) = shop().await;
    let editor = shopper().with_scopes(&["catalog:write"]);
    let query = "query($id: ID!) { product(id: $id) { title } }";
    let mutation = "mutation($i: ProductUpsertInput!) { productUpsert(input: $i) { product { version } } }";
    let id = SMALL.product_id(0);
    let read = async || {
        run_amid_others(&shop, &editor, query, json!({ "id": id })).await["data"]["product"]["title"].clone()
    };
    read().await;
    // Whoever waits goes away before the statements, between them, and between the commit and what follows it.
    for looks in 1..=20 {
        let title = format!("Title {looks}");
        let input = json!({ "i": { "id": id, "slug": "a-slug", "title": title, "expectedVersion": looks } });
        let mut change = Box::pin(run(&shop, &editor, mutation, input));
        for _ in 0..looks {
            if futures::poll!(change.as_mut()).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        drop(change);
        let seen = async {
            while read().await != title {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(10), seen).await;
        assert!(seen.is_ok(), "after {looks} looks the title is {}, not {title}", read().await);
    }
}

#[tokio::test]
async fn a_new_price_is_seen_at_once_and_told_to_others() {
    let (shop, ports, _folder) = shop().await;
    let editor = shopper().with_scopes(&["catalog:write"]);
    let seeded = SMALL.product(4);
    let query = "query($id: ID!, $r: [_Any!]!) { product(id: $id) { priceRange { max { amountMinor } }
        variants { nodes { listPrice { amountMinor currency } compareAtPrice { amountMinor } } } }
        _entities(representations: $r) { ... on ProductVariant { listPrice { amountMinor } } } }";
    let variant = seeded.variants[0].id;
    let asked = json!({ "id": seeded.id, "r": [{ "__typename": "ProductVariant", "id": variant }] });
    let before = run(&shop, &editor, query, asked.clone()).await["data"].clone();
    let dear = before["product"]["priceRange"]["max"]["amountMinor"].as_i64().unwrap() + 1_000;

    let mutation = "mutation($i: ProductUpsertInput!) { productUpsert(input: $i) { product { version }
        userErrors { code field } } }";
    let change = |price: Value| json!({ "i": { "id": seeded.id, "slug": seeded.slug, "title": seeded.texts[0].1, "prices": [price] } });
    let dollars = |minor: i64| json!({ "amountMinor": minor, "currency": "USD" });
    let price =
        json!({ "variantId": variant, "listPrice": dollars(dear), "compareAtPrice": dollars(dear + 1) });
    let changed = run(&shop, &editor, mutation, change(price)).await;
    assert_eq!(changed["data"]["productUpsert"]["userErrors"], json!([]), "{changed}");
    let after = run(&shop, &editor, query, asked).await["data"].clone();
    assert_eq!(after["product"]["priceRange"]["max"]["amountMinor"], dear);
    let nodes = &after["product"]["variants"]["nodes"];
    assert_eq!(nodes[0]["listPrice"], dollars(dear));
    assert_eq!(nodes[0]["compareAtPrice"]["amountMinor"], dear + 1);
    assert_eq!(nodes[1], before["product"]["variants"]["nodes"][1], "the others cost what they did");
    assert_eq!(after["_entities"][0]["listPrice"]["amountMinor"], dear);

    let told = messaging::pending(&ports.database).await.unwrap();
    let [told] = &told[..] else { panic!("one event: {told:?}") };
    let Some(ProductsEvent::ProductChanged(told)) = told.of::<ProductsEvent>().unwrap() else {
        panic!("a product changed")
    };
    let prices = &told.variants.iter().find(|told| told.id == variant).unwrap().prices;
    assert!(prices.iter().any(|price| price.currency == common::Currency::USD && price.minor == dear));
    assert_eq!(prices.len(), seeded.variants[0].prices.len(), "in the other currencies it costs what it did");

    let foreign = json!({ "variantId": SMALL.variant_id(5, 0), "listPrice": dollars(1) });
    let refused = run(&shop, &editor, mutation, change(foreign)).await;
    let error = json!({ "code": "NOT_FOUND", "field": ["input", "prices", "0", "variantId"] });
    assert_eq!(refused["data"]["productUpsert"]["userErrors"], json!([error]));
}

#[tokio::test]
async fn a_node_is_found_by_the_prefix_of_its_id() {
    let (shop, _ports, _folder) = shop().await;
    let ids = [
        SMALL.product_id(0).to_string(),
        SMALL.category_id(0).to_string(),
        SMALL.user_id(0).to_string(),
        "prod_00000000000000000000000000".to_owned(),
        "nonsense".to_owned(),
    ];
    let answer = run(
        &shop,
        &shopper(),
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }",
        json!({ "ids": ids }),
    )
    .await;
    let types: Vec<&Value> =
        answer["data"]["nodes"].as_array().unwrap().iter().map(|node| &node["__typename"]).collect();
    assert_eq!(types, [&json!("Product"), &json!("Category"), &json!("User"), &Value::Null, &Value::Null]);
}

#[tokio::test]
async fn seeding_again_adds_nothing_and_a_larger_world_adds_the_rest() {
    let (shop, ports, _folder) = shop().await;
    let larger = World { products: 25, ..SMALL };
    products::seed(&ports, &SMALL, &Progress::silent()).await.unwrap();
    products::seed(&ports, &larger, &Progress::silent()).await.unwrap();
    let query = "query($id: ID!) { product(id: $id) { slug } }";
    let added = run(&shop, &shopper(), query, json!({ "id": larger.product_id(24) })).await;
    assert_eq!(added["data"]["product"]["slug"], larger.product(24).slug);
}

fn confirmed_order(customer: common::id::UserId, product: common::id::ProductId) -> OrdersEvent {
    let ids = Ids::counted();
    let money = common::Money::new(100, common::Currency::USD);
    OrdersEvent {
        change: OrderChange::Confirmed,
        order: OrderSnapshot {
            id: ids.next(),
            number: "TP-1".into(),
            version: 1,
            customer: Some(customer),
            email: "a@example.com".into(),
            locale: "en".into(),
            total: money,
            placed_at: testing::START,
            tracking_url: None,
            lines: vec![OrderLineSnapshot {
                id: ids.next(),
                variant: ids.next(),
                product,
                title: "x".into(),
                quantity: 1,
                total: money,
            }],
        },
    }
}

#[tokio::test]
async fn a_product_is_read_once_by_its_slug_also_where_memory_does_not_count() {
    let (shop, _ports, _folder) = shop().await;
    let query = "query($slug: String!) { product(slug: $slug) { id title } }";
    for number in [4, 4, 5] {
        let variables = json!({ "slug": SMALL.product(number).slug });
        let afresh = cache::afresh(statements(&shop, &Viewer::anonymous(), query, variables)).await;
        assert_eq!(afresh, 1);
    }
    let variables = json!({ "slug": SMALL.product(5).slug });
    assert_eq!(statements(&shop, &Viewer::anonymous(), query, variables).await, 0, "and kept");
}
