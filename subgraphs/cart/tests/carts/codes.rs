//! Promotion codes.

use serde_json::json;

use crate::bench::{SMALL, Shop, cheap, guest, plain, wanted};

#[tokio::test]
async fn a_good_code_takes_its_share_off_and_a_bad_one_is_a_user_error() {
    let shop = Shop::open().await;
    let (variant, price) = plain(0);
    let cart = shop.cart_with(&guest(), &[(variant, 10)]).await;
    let codes = json!({ "cartId": cart["id"], "codes": ["welcome10", "NOPE", "NEXTYEAR"] });
    let payload = shop.change(&guest(), "cartCodesSet", codes).await;
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 2);
    assert_eq!(
        (errors[0]["code"].as_str(), &errors[0]["field"]),
        (Some("CODE_NOT_FOUND"), &json!(["input", "codes", "1"]))
    );
    assert_eq!(errors[1]["code"], "CODE_NOT_APPLICABLE");
    assert_eq!(payload["cart"]["promotions"][0]["code"], "WELCOME10");
    // Prices of the world end so that a tenth of ten is exact.
    assert_eq!(payload["cart"]["promotions"][0]["amount"]["amountMinor"], price);
    assert_eq!(payload["cart"]["cost"]["discount"]["amountMinor"], price);
    assert_eq!(payload["cart"]["version"], 2);
}

#[tokio::test]
async fn a_bad_code_alone_leaves_the_others_and_none_removes_all() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 10)]).await;
    let set = |codes: serde_json::Value| json!({ "cartId": cart["id"], "codes": codes });
    shop.change(&guest(), "cartCodesSet", set(json!(["WELCOME10"]))).await;
    let kept = shop.change(&guest(), "cartCodesSet", set(json!(["WELLCOME"]))).await;
    assert_eq!(kept["userErrors"][0]["code"], "CODE_NOT_FOUND");
    assert_eq!(kept["cart"]["promotions"][0]["code"], "WELCOME10");
    assert_eq!(kept["cart"]["version"], 2);
    let gone = shop.change(&guest(), "cartCodesSet", set(json!([]))).await;
    assert_eq!(gone["cart"]["promotions"], json!([]));
}

#[tokio::test]
async fn a_code_that_does_not_apply_any_more_is_dropped_with_a_warning() {
    let shop = Shop::open().await;
    let (variant, price) = plain(0);
    let enough = i32::try_from(2_500 / price + 1).unwrap();
    let cart = shop.cart_with(&guest(), &[(variant, enough), (plain(1).0, 1)]).await;
    let set = json!({ "cartId": cart["id"], "codes": ["SAVE5"] });
    let saved = shop.change(&guest(), "cartCodesSet", set).await;
    assert_eq!(saved["cart"]["cost"]["discount"]["amountMinor"], 500);
    let discounts: i64 = saved["cart"]["lines"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["discount"]["amountMinor"].as_i64().unwrap())
        .sum();
    assert_eq!(discounts, 500);
    let lines: Vec<_> = saved["cart"]["lines"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| json!({ "id": line["id"], "quantity": 0 }))
        .collect();
    let emptied =
        shop.change(&guest(), "cartLinesUpdate", json!({ "cartId": cart["id"], "lines": lines })).await;
    assert_eq!(emptied["warnings"][0]["code"], "PROMOTION_REMOVED");
    assert_eq!(emptied["cart"]["cost"]["total"]["amountMinor"], 0);
}

#[tokio::test]
async fn free_delivery_pays_for_the_standard_option() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(cheap().0, 1)]).await;
    let standard = cart["deliveryOptions"][0]["cost"]["amountMinor"].as_i64().unwrap();
    assert!(standard > 0);
    let express = cart["deliveryOptions"][1]["cost"]["amountMinor"].as_i64().unwrap();
    shop.change(
        &guest(),
        "cartDeliverySelect",
        json!({ "cartId": cart["id"], "deliveryOptionId": "express" }),
    )
    .await;
    let set = json!({ "cartId": cart["id"], "codes": ["FREESHIP"] });
    let payload = shop.change(&guest(), "cartCodesSet", set).await;
    assert_eq!(payload["cart"]["cost"]["shipping"]["amountMinor"], express - standard);
    assert_eq!(payload["cart"]["promotions"][0]["amount"]["amountMinor"], standard);
}

#[tokio::test]
async fn an_exclusive_code_stands_alone() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 10)]).await;
    let set = json!({ "cartId": cart["id"], "codes": ["WELCOME10", "VIP25"] });
    let payload = shop.change(&guest(), "cartCodesSet", set).await;
    assert_eq!(payload["userErrors"][0]["code"], "CODE_NOT_APPLICABLE");
    assert_eq!(payload["cart"]["promotions"].as_array().unwrap().len(), 1);
    assert_eq!(payload["cart"]["promotions"][0]["code"], "VIP25");
}

#[tokio::test]
async fn overlapping_promotions_of_a_category_apply_without_a_code() {
    let shop = Shop::open().await;
    // Product 4 stands in the fifth category, which is in the autumn sale and in the kitchen days.
    let price = SMALL.price(4, 0, common::Currency::USD).list.minor;
    let payload =
        shop.change(&guest(), "cartCreate", json!({ "lines": wanted(&[(SMALL.variant_id(4, 0), 1)]) })).await;
    let promotions = payload["cart"]["promotions"].as_array().unwrap();
    let titles: Vec<_> = promotions.iter().map(|promotion| promotion["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Autumn sale", "Kitchen days"]);
    let tenth = common::Money::new(price, common::Currency::USD).share(1_000).unwrap().minor;
    assert_eq!(promotions[0]["amount"]["amountMinor"], tenth);
}
