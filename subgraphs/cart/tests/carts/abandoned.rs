//! Carts that nobody came back for, and that somebody did.

use std::time::Duration;

use serde_json::{Value, json};
use subgraph::testing::do_job;

use crate::bench::{Shop, guest, plain, user, wanted};

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

async fn abandon(shop: &Shop) {
    do_job(&shop.subgraph, &shop.ports, "abandon-carts").await;
}

#[tokio::test]
async fn a_cart_is_abandoned_a_month_after_it_was_touched_last() {
    let shop = Shop::open().await;
    let left = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    let touched = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    shop.ports.clock.advance(MONTH);
    abandon(&shop).await;
    assert_eq!(shop.cart(&guest(), &left["id"]).await["state"], "ACTIVE", "not yet");
    let add = json!({ "cartId": touched["id"], "lines": wanted(&[(plain(1).0, 1)]), "idempotencyKey": "touch-001" });
    assert_eq!(shop.change(&guest(), "cartLinesAdd", add).await["userErrors"], json!([]));
    shop.ports.clock.advance(Duration::from_secs(1));
    abandon(&shop).await;
    assert_eq!(shop.cart(&guest(), &left["id"]).await["state"], "ABANDONED");
    assert_eq!(shop.cart(&guest(), &touched["id"]).await["state"], "ACTIVE");
    abandon(&shop).await;
}

#[tokio::test]
async fn whoever_comes_back_goes_on_with_the_cart() {
    let shop = Shop::open().await;
    let edited = shop.cart_with(&user(0), &[(plain(0).0, 1)]).await;
    let merged = shop.cart_with(&guest(), &[(plain(1).0, 2)]).await;
    shop.ports.clock.advance(MONTH + Duration::from_secs(1));
    abandon(&shop).await;
    assert_eq!(shop.cart(&user(0), &Value::Null).await["id"], edited["id"], "it is found");
    let merge = json!({ "guestCartId": merged["id"], "idempotencyKey": "merge-001" });
    let cart = shop.change(&user(0), "cartMerge", merge).await["cart"].clone();
    assert_eq!(
        (&cart["id"], &cart["state"], &cart["totalQuantity"]),
        (&edited["id"], &json!("ACTIVE"), &json!(3))
    );
    shop.ports.clock.advance(MONTH + Duration::from_secs(1));
    abandon(&shop).await;
    let input = json!({ "cartId": edited["id"], "email": "ada@example.com" });
    assert_eq!(shop.change(&user(0), "cartBuyerSet", input).await["cart"]["state"], "ACTIVE");
}
