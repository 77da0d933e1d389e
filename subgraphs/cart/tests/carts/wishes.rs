//! Wish lists.

use std::sync::Arc;

use serde_json::{Value, json};
use subgraph::testing::{run, statements};

use crate::bench::{SMALL, Shop, at_once, guest, plain, user};

const WISH: &str = "mutation($i: WishlistItemInput!) { wishlistItemAdd(input: $i) {
    wishlist { id name items { id } } userErrors { code field } } }";

async fn wish(shop: &Shop, number: u32, input: Value) -> Value {
    run(&shop.subgraph, &user(number), WISH, json!({ "i": input })).await["data"]["wishlistItemAdd"].clone()
}

#[tokio::test]
async fn a_first_wish_makes_a_list_and_the_same_wish_again_nothing() {
    let shop = Shop::open().await;
    let variant = plain(0).0;
    let first = wish(&shop, 20, json!({ "variantId": variant })).await;
    assert_eq!(first["wishlist"]["items"], json!([{ "id": variant }]));
    assert_eq!(wish(&shop, 20, json!({ "variantId": variant })).await, first);
    let list = &first["wishlist"]["id"];
    let foreign = wish(&shop, 21, json!({ "wishlistId": list, "variantId": variant })).await;
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_FOUND");
    let unknown = json!({ "variantId": "var_00000000000000000000000000" });
    assert_eq!(wish(&shop, 20, unknown).await["userErrors"][0]["field"], json!(["input", "variantId"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_first_wishes_at_once_share_one_list() {
    let shop = Arc::new(Shop::open().await);
    let tasks = (0..10u32).map(|number| {
        let shop = Arc::clone(&shop);
        async move { wish(&shop, 22, json!({ "variantId": SMALL.variant_id(number, 0) })).await }
    });
    for payload in at_once(tasks).await {
        assert_eq!(payload["userErrors"], json!([]));
    }
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { wishlists { items { id } } } } }";
    let representation = json!({ "r": [{ "__typename": "User", "id": SMALL.user_id(22) }] });
    let answer = run(&shop.subgraph, &user(22), query, representation).await;
    let lists = answer["data"]["_entities"][0]["wishlists"].as_array().unwrap();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0]["items"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn wish_lists_are_seen_by_their_owner_only_in_two_statements() {
    let shop = Shop::open().await;
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { id wishlists { id items { id } } } } }";
    let representation = json!({ "r": [
        { "__typename": "User", "id": SMALL.user_id(0) }, { "__typename": "User", "id": SMALL.user_id(1) }
    ] });
    let answer = run(&shop.subgraph, &user(0), query, representation.clone()).await;
    assert_eq!(answer["data"]["_entities"][0]["wishlists"][0]["items"].as_array().unwrap().len(), 4);
    assert_eq!(answer["data"]["_entities"][1]["wishlists"], Value::Null);
    assert_eq!(statements(&shop.subgraph, &user(0), query, representation).await, 2);
    let document = "mutation { wishlistItemAdd(input: { variantId: \"var_00000000000000000000000000\" }) { userErrors { code } } }";
    let answer = run(&shop.subgraph, &guest(), document, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
