//! Lines: adding, changing, limits, keys, versions, price locks.

use std::sync::Arc;
use std::time::Duration;

use common::Currency;
use serde_json::{Value, json};
use subgraph::testing::{run, statements};

use crate::bench::{SMALL, Shop, at_once, european, guest, plain, user, wanted};
use crate::events::reprice;

#[tokio::test]
async fn a_new_cart_has_its_lines_at_list_prices() {
    let shop = Shop::open().await;
    let ((one, one_price), (two, two_price)) = (plain(0), plain(1));
    let cart = shop.cart_with(&guest(), &[(one, 2), (two, 1)]).await;
    assert_eq!(cart["state"], "ACTIVE");
    assert_eq!(cart["totalQuantity"], 3);
    let subtotal = 2 * one_price + two_price;
    assert_eq!(cart["cost"]["subtotal"], json!({ "amountMinor": subtotal, "currency": "USD" }));
    assert_eq!(cart["lines"]["nodes"][0]["merchandise"]["id"], one.to_string());
    assert_eq!(cart["lines"]["nodes"][0]["total"]["amountMinor"], 2 * one_price);
    assert_eq!(cart["lines"]["nodes"][0]["priceLockedUntil"], "2026-11-01T12:15:00.000Z");
    assert_eq!(cart["cost"]["estimated"], true);
    assert_eq!(shop.cart(&guest(), &cart["id"]).await, cart, "a cart reads as it was made");
}

#[tokio::test]
async fn a_european_cart_is_in_euro_with_the_tax_included() {
    let shop = Shop::open().await;
    let (variant, _) = plain(0);
    let price = SMALL.price(0, 0, Currency::EUR).list.minor;
    let cart = shop.cart_with(&european(), &[(variant, 1)]).await;
    assert_eq!(cart["cost"]["total"], json!({ "amountMinor": price, "currency": "EUR" }));
    assert_eq!(cart["deliveryOptions"][0]["title"], "Standardversand");
    assert!(cart["cost"]["tax"]["amountMinor"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn lines_stay_in_the_order_in_which_they_were_added() {
    let shop = Shop::open_with_random_ids().await;
    let mut variants: Vec<_> = (0..12).map(|number| SMALL.variant_id(number * 3 % 13 + 12, 0)).collect();
    let lines = |variants: &[_]| variants.iter().map(|variant| (*variant, 1)).collect::<Vec<_>>();
    let merchandise = |cart: &Value| -> Vec<Value> {
        let nodes = cart["lines"]["nodes"].as_array().unwrap();
        nodes.iter().map(|line| line["merchandise"]["id"].clone()).collect()
    };
    let expected = |variants: &[common::id::VariantId]| -> Vec<Value> {
        variants.iter().map(|variant| json!(variant.to_string())).collect()
    };
    let cart = shop.cart_with(&guest(), &lines(&variants[..6])).await;
    assert_eq!(merchandise(&cart), expected(&variants[..6]), "as the answer has it");
    let add = json!({ "cartId": cart["id"], "lines": wanted(&lines(&variants[4..])), "idempotencyKey": "add-00001" });
    shop.change(&guest(), "cartLinesAdd", add).await;
    assert_eq!(merchandise(&shop.cart(&guest(), &cart["id"]).await), expected(&variants));

    let line = json!({ "id": cart["lines"]["nodes"][2]["id"], "quantity": 0 });
    shop.change(&guest(), "cartLinesUpdate", json!({ "cartId": cart["id"], "lines": [line] })).await;
    let again =
        json!({ "cartId": cart["id"], "lines": wanted(&[(variants[2], 1)]), "idempotencyKey": "add-00002" });
    shop.change(&guest(), "cartLinesAdd", again).await;
    let last = variants.remove(2);
    variants.push(last);
    let page = "query($id: ID, $a: String) { cart(id: $id) { lines(first: 5, after: $a) {
        nodes { merchandise { ... on ProductVariant { id } } } pageInfo { endCursor } } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    for _ in 0..3 {
        let answer = run(&shop.subgraph, &guest(), page, json!({ "id": cart["id"], "a": after })).await;
        seen.extend(merchandise(&answer["data"]["cart"]));
        after = answer["data"]["cart"]["lines"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, expected(&variants), "page after page");
}

#[tokio::test]
async fn the_same_variant_goes_into_its_line() {
    let shop = Shop::open().await;
    let (variant, price) = plain(0);
    let cart = shop.cart_with(&guest(), &[(variant, 1)]).await;
    let add = json!({ "cartId": cart["id"], "lines": wanted(&[(variant, 2), (variant, 3)]), "idempotencyKey": "key-00001" });
    let payload = shop.change(&guest(), "cartLinesAdd", add).await;
    let lines = payload["cart"]["lines"]["nodes"].as_array().unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["quantity"], 6);
    assert_eq!(lines[0]["total"]["amountMinor"], 6 * price);
    assert_eq!(payload["cart"]["version"], 2);
}

#[tokio::test]
async fn the_same_key_twice_adds_once_and_for_another_request_is_refused() {
    let shop = Shop::open().await;
    let ((one, _), (two, _)) = (plain(0), plain(1));
    let create = json!({ "lines": wanted(&[(one, 1)]), "idempotencyKey": "create-01" });
    let first = shop.change(&guest(), "cartCreate", create.clone()).await;
    let again = shop.change(&guest(), "cartCreate", create).await;
    assert_eq!(first["cart"]["id"], again["cart"]["id"]);
    let id = &first["cart"]["id"];
    let add = json!({ "cartId": id, "lines": wanted(&[(two, 1)]), "idempotencyKey": "add-00001" });
    let once = shop.change(&guest(), "cartLinesAdd", add.clone()).await;
    // The buyer may have logged in between: the cart is the same.
    let twice = shop.change(&user(0), "cartLinesAdd", add).await;
    assert_eq!(once["cart"], twice["cart"]);
    let other = json!({ "cartId": id, "lines": wanted(&[(two, 9)]), "idempotencyKey": "add-00001" });
    let refused = shop.change(&guest(), "cartLinesAdd", other).await;
    assert_eq!(refused["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(refused["cart"]["totalQuantity"], 2);
}

#[tokio::test]
async fn a_refused_add_may_be_sent_again_with_the_same_key() {
    let shop = Shop::open().await;
    let (variant, _) = plain(0);
    let cart = shop.cart_with(&guest(), &[(variant, 999)]).await;
    let add =
        json!({ "cartId": cart["id"], "lines": wanted(&[(variant, 1)]), "idempotencyKey": "add-00001" });
    let refused = shop.change(&guest(), "cartLinesAdd", add.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "QUANTITY_LIMIT");
    assert_eq!(refused["userErrors"][0]["availableQuantity"], 0);
    let line = json!({ "id": cart["lines"]["nodes"][0]["id"], "quantity": 1 });
    shop.change(&guest(), "cartLinesUpdate", json!({ "cartId": cart["id"], "lines": [line] })).await;
    let done = shop.change(&guest(), "cartLinesAdd", add).await;
    assert_eq!(done["cart"]["totalQuantity"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_parallel_adds_of_one_variant_and_of_many_lose_nothing() {
    let shop = Arc::new(Shop::open().await);
    let cart = shop.cart_with(&guest(), &[]).await;
    let shared = plain(0).0;
    let tasks = (0..20u32).map(|number| {
        let (shop, id) = (Arc::clone(&shop), cart["id"].clone());
        let own = SMALL.variant_id(number, 1);
        let lines =
            if number % 2 == 0 { wanted(&[(shared, 1), (own, 1)]) } else { wanted(&[(own, 1), (shared, 1)]) };
        let add = json!({ "cartId": id, "lines": lines, "idempotencyKey": format!("parallel-{number}") });
        async move { shop.change(&guest(), "cartLinesAdd", add).await }
    });
    for payload in at_once(tasks).await {
        assert_eq!(payload["userErrors"], json!([]));
    }
    let cart = shop.cart(&guest(), &cart["id"]).await;
    assert_eq!(cart["totalQuantity"], 40);
    assert_eq!(cart["lines"]["nodes"].as_array().unwrap().len(), 21);
    assert_eq!(cart["version"], 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_parallel_sendings_of_one_add_have_one_effect() {
    let shop = Arc::new(Shop::open().await);
    let cart = shop.cart_with(&guest(), &[]).await;
    let add = json!({ "cartId": cart["id"], "lines": wanted(&[(plain(0).0, 3)]), "idempotencyKey": "the-only-one" });
    let tasks = (0..20).map(|_| {
        let (shop, add) = (Arc::clone(&shop), add.clone());
        async move { shop.change(&guest(), "cartLinesAdd", add).await }
    });
    for payload in at_once(tasks).await {
        assert_eq!(payload["cart"]["totalQuantity"], 3);
    }
}

#[tokio::test]
async fn zero_removes_a_line_and_a_negative_quantity_is_invalid() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1), (plain(1).0, 1)]).await;
    let line = |quantity: i32| json!([{ "id": cart["lines"]["nodes"][0]["id"], "quantity": quantity }]);
    let negative = json!({ "cartId": cart["id"], "lines": line(-1) });
    let refused = shop.change(&guest(), "cartLinesUpdate", negative).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "lines", "0", "quantity"]));
    let removed =
        shop.change(&guest(), "cartLinesUpdate", json!({ "cartId": cart["id"], "lines": line(0) })).await;
    assert_eq!(removed["cart"]["totalQuantity"], 1);
    let again =
        shop.change(&guest(), "cartLinesUpdate", json!({ "cartId": cart["id"], "lines": line(1) })).await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn what_cannot_be_added_is_refused_by_name_and_nothing_is_added() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&european(), &[]).await;
    let hidden = SMALL.variant_id(11, 0);
    let unknown: common::id::VariantId = common::Ids::counted().next();
    let good = plain(0).0;
    for (lines, code) in [
        (wanted(&[]), "INVALID"),
        (wanted(&[(good, 1), (good, 0)]), "INVALID"),
        (wanted(&[(good, 1), (good, -5)]), "INVALID"),
        (wanted(&[(good, 1), (good, 1_000)]), "QUANTITY_LIMIT"),
        (wanted(&[(good, 1), (unknown, 1)]), "NOT_FOUND"),
        (wanted(&[(good, 1), (hidden, 1)]), "UNAVAILABLE_IN_CHANNEL"),
        (wanted(&vec![(good, 1); 101]), "QUANTITY_LIMIT"),
    ] {
        let add = json!({ "cartId": cart["id"], "lines": lines, "idempotencyKey": "refused-1" });
        let payload = shop.change(&european(), "cartLinesAdd", add).await;
        assert_eq!(payload["userErrors"][0]["code"], code, "{payload}");
        assert_eq!(payload["cart"]["totalQuantity"], 0);
    }
    let foreign = shop.change(&guest(), "cartCreate", json!({ "currency": "GBP" })).await;
    assert_eq!(foreign["userErrors"][0]["code"], "CURRENCY_MISMATCH");
}

#[tokio::test]
async fn a_cart_has_at_most_a_hundred_lines() {
    let shop = Shop::open().await;
    let all: Vec<_> = (0..40)
        .flat_map(|product| (0..3).map(move |variant| (product, variant)))
        .filter(|(product, variant)| *variant < SMALL.variant_count(*product))
        .map(|(product, variant)| (SMALL.variant_id(product, variant), 1))
        .collect();
    let cart = shop.cart_with(&guest(), &all[..100]).await;
    let add = json!({ "cartId": cart["id"], "lines": wanted(&all[100..101]), "idempotencyKey": "add-00001" });
    let refused = shop.change(&guest(), "cartLinesAdd", add).await;
    assert_eq!(refused["userErrors"][0]["code"], "QUANTITY_LIMIT");
    assert_eq!(refused["cart"]["totalQuantity"], 100);
}

#[tokio::test]
async fn a_change_to_an_old_version_is_a_conflict_that_names_the_new_one() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    let buyer = |version: i32| json!({ "cartId": cart["id"], "email": "ada@example.com", "expectedVersion": version });
    assert_eq!(shop.change(&guest(), "cartBuyerSet", buyer(1)).await["cart"]["version"], 2);
    let refused = shop.change(&guest(), "cartBuyerSet", buyer(1)).await;
    assert_eq!(refused["userErrors"][0]["code"], "VERSION_CONFLICT");
    assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("version 2"), "{refused}");
    assert_eq!(refused["cart"]["version"], 2);
}

#[tokio::test]
async fn a_price_holds_for_a_quarter_of_an_hour_and_then_follows_the_list() {
    let shop = Shop::open().await;
    let (variant, price) = plain(0);
    let cart = shop.cart_with(&guest(), &[(variant, 1)]).await;
    reprice(&shop, 0, price + 500, 2).await;
    let codes = json!({ "cartId": cart["id"], "codes": [] });
    let held = shop.change(&guest(), "cartCodesSet", codes.clone()).await;
    assert_eq!(held["warnings"][0]["code"], "PRICE_CHANGED");
    assert_eq!(held["warnings"][0]["lineId"], cart["lines"]["nodes"][0]["id"]);
    assert_eq!(held["cart"]["cost"]["subtotal"]["amountMinor"], price);
    assert_eq!(held["cart"]["version"], 1, "nothing was changed");
    shop.ports.clock.advance(Duration::from_secs(15 * 60));
    let seen = shop.cart(&guest(), &cart["id"]).await;
    assert_eq!(seen["cost"]["subtotal"]["amountMinor"], price + 500);
    assert_eq!(seen["lines"]["nodes"][0]["priceLockedUntil"], Value::Null);
    let followed = shop.change(&guest(), "cartCodesSet", codes.clone()).await;
    assert_eq!(followed["warnings"][0]["code"], "PRICE_CHANGED");
    assert_eq!(followed["cart"]["cost"]["subtotal"]["amountMinor"], price + 500);
    assert_eq!(followed["cart"]["lines"]["nodes"][0]["priceLockedUntil"], "2026-11-01T12:30:00.000Z");
    assert_eq!(shop.change(&guest(), "cartCodesSet", codes).await["warnings"], json!([]));
}

#[tokio::test]
async fn a_first_add_takes_five_statements() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[]).await;
    let document = "mutation($i: CartLinesAddInput!) { cartLinesAdd(input: $i) { cart { id totalQuantity
        cost { total { amountMinor } } lines { nodes { id total { amountMinor } } } } userErrors { code } } }";
    for (number, most) in [(0, 5), (1, 5)] {
        let input = json!({ "cartId": cart["id"], "lines": wanted(&[(plain(number).0, 1)]),
            "idempotencyKey": format!("counted-{number}") });
        let count = statements(&shop.subgraph, &guest(), document, json!({ "i": input })).await;
        assert!(count <= most, "{count} statements");
    }
}
