//! What `orders` does with a cart: freeze, thaw, complete.

use std::sync::Arc;

use common::Ids;
use common::id::CheckoutAttemptId;
use serde_json::{Value, json};
use subgraph::testing::run;

use crate::bench::{SMALL, Shop, at_once, guest, plain, user, wanted};

fn attempts() -> (CheckoutAttemptId, CheckoutAttemptId) {
    let ids = Ids::counted();
    (ids.next(), ids.next())
}

fn minor(money: &Value) -> i64 {
    money["minor"].as_i64().expect("money has minor units")
}

#[tokio::test]
async fn a_frozen_cart_adds_up_and_answers_the_same_again() {
    let shop = Shop::open().await;
    let cart = shop.ready(&guest(), &[(plain(0).0, 3), (plain(1).0, 1)]).await;
    let codes = json!({ "cartId": cart["id"], "codes": ["WELCOME10", "SAVE5"] });
    let cart = shop.change(&guest(), "cartCodesSet", codes).await["cart"].clone();
    let (attempt, other) = attempts();
    let frozen = shop.call("cartFreeze", shop.freeze(&cart, attempt)).await;
    assert_eq!(frozen["outcome"], "frozen", "{frozen}");
    let lines = frozen["lines"].as_array().unwrap();
    let sum = |part: &str| lines.iter().map(|line| minor(&line[part])).sum::<i64>();
    let full: i64 =
        lines.iter().map(|line| minor(&line["unit_price"]) * line["quantity"].as_i64().unwrap()).sum();
    assert_eq!(full, minor(&frozen["subtotal"]));
    assert_eq!(sum("discount"), minor(&frozen["discount"]));
    assert_eq!(sum("total"), full - minor(&frozen["discount"]));
    let total = full - minor(&frozen["discount"]) + minor(&frozen["shipping"]) + minor(&frozen["tax"]);
    assert_eq!(total, minor(&frozen["total"]));
    assert_eq!(frozen["tax_included"], false);
    assert_eq!(frozen["shipping_address"]["city"], "Springfield");
    assert_eq!(shop.call("cartFreeze", shop.freeze(&cart, attempt)).await, frozen);
    assert_eq!(shop.call("cartFreeze", shop.freeze(&cart, other)).await["outcome"], "not_active");
}

#[tokio::test]
async fn a_frozen_cart_refuses_edits_until_it_is_thawed() {
    let shop = Shop::open().await;
    let cart = shop.ready(&guest(), &[(plain(0).0, 1)]).await;
    let (attempt, other) = attempts();
    shop.call("cartFreeze", shop.freeze(&cart, attempt)).await;
    let seen = shop.cart(&guest(), &cart["id"]).await;
    assert_eq!((seen["state"].as_str(), &seen["cost"]), (Some("FROZEN"), &cart["cost"]));
    let add =
        json!({ "cartId": cart["id"], "lines": wanted(&[(plain(1).0, 1)]), "idempotencyKey": "add-00001" });
    let refused = shop.change(&guest(), "cartLinesAdd", add.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "FROZEN");
    shop.call("cartThaw", json!({ "cart": cart["id"], "attempt": other })).await;
    assert_eq!(shop.cart(&guest(), &cart["id"]).await["state"], "FROZEN", "another attempt thaws nothing");
    shop.call("cartThaw", json!({ "cart": cart["id"], "attempt": attempt })).await;
    shop.call("cartThaw", json!({ "cart": cart["id"], "attempt": attempt })).await;
    assert_eq!(shop.change(&guest(), "cartLinesAdd", add).await["cart"]["totalQuantity"], 2);
}

#[tokio::test]
async fn an_ordered_cart_stays_ordered() {
    let shop = Shop::open().await;
    let cart = shop.ready(&user(0), &[(plain(0).0, 1)]).await;
    let (attempt, _) = attempts();
    let mut freeze = shop.freeze(&cart, attempt);
    assert_eq!(shop.call("cartFreeze", freeze.clone()).await["outcome"], "not_found", "it has an owner");
    freeze["buyer"] = json!(SMALL.user_id(0));
    assert_eq!(shop.call("cartFreeze", freeze).await["outcome"], "frozen");
    assert_eq!(shop.cart(&user(0), &Value::Null).await["id"], cart["id"], "it is still the user's cart");
    for _ in 0..2 {
        shop.call("cartComplete", json!({ "cart": cart["id"], "attempt": attempt })).await;
    }
    shop.call("cartThaw", json!({ "cart": cart["id"], "attempt": attempt })).await;
    assert_eq!(shop.cart(&user(0), &cart["id"]).await["state"], "ORDERED");
    assert_eq!(shop.cart(&user(0), &Value::Null).await, Value::Null);
}

#[tokio::test]
async fn what_the_buyer_did_not_see_is_not_frozen() {
    let shop = Shop::open().await;
    let cart = shop.ready(&guest(), &[(plain(0).0, 1)]).await;
    let (attempt, _) = attempts();
    let mut old = shop.freeze(&cart, attempt);
    old["version"] = json!(1);
    let conflict = shop.call("cartFreeze", old).await;
    assert_eq!(conflict, json!({ "outcome": "version_conflict", "current_version": cart["version"] }));
    let mut cheap = shop.freeze(&cart, attempt);
    cheap["expected_total"]["minor"] = json!(1);
    let mismatch = shop.call("cartFreeze", cheap).await;
    assert_eq!(mismatch["outcome"], "total_mismatch");
    assert_eq!(mismatch["current_total"]["minor"], cart["cost"]["total"]["amountMinor"]);
    let mut lost = shop.freeze(&cart, attempt);
    lost["cart"] = json!("cart_00000000000000000000000000");
    assert_eq!(shop.call("cartFreeze", lost).await["outcome"], "not_found");
}

#[tokio::test]
async fn an_incomplete_cart_says_what_is_missing() {
    let shop = Shop::open().await;
    let (attempt, _) = attempts();
    let empty = shop.cart_with(&guest(), &[]).await;
    let said = async |cart: &Value| {
        let reply = shop.call("cartFreeze", shop.freeze(cart, attempt)).await;
        assert_eq!(reply["outcome"], "incomplete", "{reply}");
        reply["message"].as_str().unwrap().to_owned()
    };
    assert!(said(&empty).await.contains("empty"));
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    assert!(said(&cart).await.contains("e-mail"));
    let buyer = json!({ "cartId": cart["id"], "email": "ada@example.com" });
    let cart = shop.change(&guest(), "cartBuyerSet", buyer).await["cart"].clone();
    assert!(said(&cart).await.contains("address"));
    let set = json!({ "cartId": cart["id"], "address": crate::bench::address("US", "CA") });
    let cart = shop.change(&guest(), "cartAddressSet", set).await["cart"].clone();
    assert!(said(&cart).await.contains("delivery"));
}

#[tokio::test(flavor = "multi_thread")]
async fn freezing_and_editing_at_once_never_both_take_the_same_version() {
    let shop = Arc::new(Shop::open().await);
    for round in 0..10 {
        let cart = shop.ready(&guest(), &[(plain(0).0, 1)]).await;
        let attempt: CheckoutAttemptId = shop.ports.ids.next();
        let freeze = shop.freeze(&cart, attempt);
        let key = format!("race-{round:04}");
        let add = json!({ "cartId": cart["id"], "lines": wanted(&[(plain(1).0, 1)]), "idempotencyKey": key });
        let both = [("cartFreeze", freeze), ("cartLinesAdd", add)].map(|(field, request)| {
            let shop = Arc::clone(&shop);
            async move {
                match field {
                    "cartFreeze" => shop.call(field, request).await,
                    _ => shop.change(&guest(), field, request).await,
                }
            }
        });
        let [frozen, edited] = &at_once(both).await[..] else { panic!("two were sent") };
        match frozen["outcome"].as_str().unwrap() {
            "frozen" => {
                assert_eq!(edited["userErrors"][0]["code"], "FROZEN");
                assert_eq!(frozen["lines"].as_array().unwrap().len(), 1);
            }
            outcome => {
                assert_eq!(outcome, "version_conflict");
                assert_eq!(edited["cart"]["totalQuantity"], 2);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_attempts_at_once_freeze_a_cart_for_one() {
    let shop = Arc::new(Shop::open().await);
    let cart = shop.ready(&guest(), &[(plain(0).0, 1)]).await;
    let tasks = (0..20).map(|_| {
        let attempt: CheckoutAttemptId = shop.ports.ids.next();
        let (shop, request) = (Arc::clone(&shop), shop.freeze(&cart, attempt));
        async move { shop.call("cartFreeze", request).await }
    });
    let mut frozen = 0;
    for reply in at_once(tasks).await {
        match reply["outcome"].as_str().unwrap() {
            "frozen" => frozen += 1,
            outcome => assert_eq!(outcome, "not_active"),
        }
    }
    assert_eq!(frozen, 1);
}

#[tokio::test]
async fn a_code_for_a_few_is_used_up_by_so_many_checkouts_and_given_back_by_failed_ones() {
    let shop = Shop::open().await;
    limit_first_hundred_to(&shop, 1).await;
    let mut carts = Vec::new();
    for _ in 0..2 {
        let cart = shop.ready(&guest(), &[(plain(0).0, 10)]).await;
        let codes = json!({ "cartId": cart["id"], "codes": ["FIRST100"] });
        carts.push(shop.change(&guest(), "cartCodesSet", codes).await["cart"].clone());
    }
    let (one, two) = attempts();
    assert_eq!(shop.call("cartFreeze", shop.freeze(&carts[0], one)).await["outcome"], "frozen");
    let late = shop.call("cartFreeze", shop.freeze(&carts[1], two)).await;
    assert_eq!(late["outcome"], "total_mismatch");
    let (without, with) =
        (minor(&late["current_total"]), carts[1]["cost"]["total"]["amountMinor"].as_i64().unwrap());
    assert!(without > with);
    shop.call("cartThaw", json!({ "cart": carts[0]["id"], "attempt": one })).await;
    assert_eq!(shop.call("cartFreeze", shop.freeze(&carts[1], two)).await["outcome"], "frozen");
}

async fn limit_first_hundred_to(shop: &Shop, limit: i32) {
    use sea_orm::{ConnectionTrait as _, Statement};
    let database = shop.ports.database.schema();
    let text = format!("UPDATE promotion SET usage_limit = {limit} WHERE code = 'FIRST100'");
    database
        .execute_raw(Statement::from_string(database.get_database_backend(), text))
        .await
        .expect("the code is seeded");
}

#[tokio::test]
async fn a_full_cart_is_frozen_whole() {
    let shop = Shop::open().await;
    let many = SMALL.product(7).variants;
    let lines: Vec<_> = many.iter().take(100).map(|variant| (variant.id, 999)).collect();
    let cart = shop.ready(&guest(), &lines).await;
    let (attempt, _) = attempts();
    let frozen = shop.call("cartFreeze", shop.freeze(&cart, attempt)).await;
    assert_eq!(frozen["lines"].as_array().unwrap().len(), 100);
    assert_eq!(shop.cart(&guest(), &cart["id"]).await["cost"], cart["cost"]);
}

#[tokio::test]
async fn only_services_freeze_carts() {
    let shop = Shop::open().await;
    let document = "mutation { cartFreeze(request: {}) }";
    for viewer in [guest(), user(0)] {
        let answer = run(&shop.subgraph, &viewer, document, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}
