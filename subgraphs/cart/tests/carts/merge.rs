//! Merging a guest's cart after the login.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::bench::{Shop, at_once, guest, plain, user};

fn merge(cart: &Value, key: &str) -> Value {
    json!({ "guestCartId": cart["id"], "idempotencyKey": key })
}

#[tokio::test]
async fn lines_come_together_and_the_guest_cart_ends() {
    let shop = Shop::open().await;
    let (shared, mine, theirs) = (plain(0).0, plain(1).0, plain(2).0);
    let own = shop.cart_with(&user(0), &[(shared, 2), (mine, 1)]).await;
    let other = shop.cart_with(&guest(), &[(shared, 3), (theirs, 1)]).await;
    let merged = shop.change(&user(0), "cartMerge", merge(&other, "merge-001")).await;
    assert_eq!(merged["cart"]["id"], own["id"]);
    assert_eq!(merged["cart"]["totalQuantity"], 7);
    assert_eq!(merged["cart"]["version"], 2);
    assert_eq!(merged["warnings"][0]["code"], "MERGED_FROM_GUEST");
    assert_eq!(shop.cart(&guest(), &other["id"]).await["state"], "MERGED");
    let edit = json!({ "cartId": other["id"], "email": "ada@example.com" });
    assert_eq!(shop.change(&guest(), "cartBuyerSet", edit).await["userErrors"][0]["code"], "INVALID");
}

#[tokio::test]
async fn a_merge_sent_again_has_no_second_effect_with_the_same_key_or_another() {
    let shop = Shop::open().await;
    shop.cart_with(&user(0), &[(plain(0).0, 2)]).await;
    let other = shop.cart_with(&guest(), &[(plain(0).0, 3)]).await;
    let first = shop.change(&user(0), "cartMerge", merge(&other, "merge-001")).await;
    for key in ["merge-001", "merge-002"] {
        let again = shop.change(&user(0), "cartMerge", merge(&other, key)).await;
        assert_eq!(again["cart"], first["cart"]);
    }
    let foreign = shop.change(&user(1), "cartMerge", merge(&other, "merge-003")).await;
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_a_cart_gets_one_and_parallel_merges_share_it() {
    let shop = Arc::new(Shop::open().await);
    let mut guests = Vec::new();
    for number in 0..4 {
        guests.push(shop.cart_with(&guest(), &[(plain(number).0, 1)]).await);
    }
    // Each is sent twice at the same time.
    let tasks = guests.iter().flat_map(|cart| [cart, cart]).enumerate().map(|(number, cart)| {
        let (shop, merge) = (Arc::clone(&shop), merge(cart, &format!("merge-{number:03}")));
        async move { shop.change(&user(3), "cartMerge", merge).await }
    });
    let mut ids = Vec::new();
    for payload in at_once(tasks).await {
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        ids.push(payload["cart"]["id"].to_string());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let cart = shop.cart(&user(3), &Value::Null).await;
    assert_eq!(cart["totalQuantity"], 4);
    assert_eq!(cart["buyerEmail"], crate::bench::SMALL.user(3).email.as_str());
}

#[tokio::test]
async fn what_the_limit_takes_is_said() {
    let shop = Shop::open().await;
    shop.cart_with(&user(0), &[(plain(0).0, 600)]).await;
    let other = shop.cart_with(&guest(), &[(plain(0).0, 600)]).await;
    let merged = shop.change(&user(0), "cartMerge", merge(&other, "merge-001")).await;
    assert_eq!(merged["cart"]["totalQuantity"], 999);
    assert_eq!(merged["warnings"][0]["code"], "QUANTITY_CLAMPED");
    assert_eq!(merged["warnings"][0]["lineId"], merged["cart"]["lines"]["nodes"][0]["id"]);
}

#[tokio::test]
async fn a_cart_is_merged_by_those_who_are_logged_in_only() {
    let shop = Shop::open().await;
    let other = shop.cart_with(&guest(), &[]).await;
    let document = "mutation($i: CartMergeInput!) { cartMerge(input: $i) { cart { id } } }";
    let answer = subgraph::testing::run(
        &shop.subgraph,
        &guest(),
        document,
        json!({ "i": merge(&other, "merge-001") }),
    )
    .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
