//! Carts: operations 06, 07, 08 and 10.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::Flow;
use super::browse::known;
use crate::client::{codes, list, number, same, text};
use crate::operations::{ADDRESS_DELIVERY, CART_ADD, CART_VIEW, CODES, UPSERT};
use crate::shopper::{Cart, address};
use crate::stage::{Stage, eventually};

pub const FLOWS: &[Flow] = &[
    ("a cart made twice under one key is one cart", |stage| Box::pin(created_once(stage))),
    ("goods added twice under one key are added once", |stage| Box::pin(added_once(stage))),
    ("lines stay in the order in which they were added", |stage| Box::pin(in_order(stage))),
    ("what was bought together is recommended beside a cart", |stage| Box::pin(beside(stage))),
    ("a new price is warned of while the old one holds", |stage| Box::pin(repriced(stage))),
    ("20 parallel adds lose nothing", |stage| Box::pin(parallel_adds(stage))),
    ("a quantity below one is refused and changes nothing", |stage| Box::pin(negative(stage))),
    ("a stale version of a cart is refused", |stage| Box::pin(stale(stage))),
    ("a cart shows its lines, prices, stock and ways to pay", |stage| Box::pin(view(stage))),
    ("a good code takes off, a bad one is a user error", |stage| Box::pin(promotion_codes(stage))),
    ("address and delivery recompute tax and shipping", |stage| Box::pin(address_and_delivery(stage))),
];

/// Half-even share of cents, in basis points.
fn share(minor: i64, basis_points: i64) -> i64 {
    let (whole, rest) =
        ((minor * basis_points).div_euclid(10_000), (minor * basis_points).rem_euclid(10_000));
    whole + i64::from(rest > 5_000 || (rest == 5_000 && whole % 2 == 1))
}

async fn created_once(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (one, other) = (stage.good()?, stage.good()?);
    let key = stage.fresh("cart");
    let input = |id: &str| {
        json!({ "lines": [{ "variantId": id, "quantity": 2 }], "idempotencyKey": key,
        "currency": "USD", "countryCode": "US" })
    };
    let first = stage.guest.done(CART_ADD, "CartCreate", input(&one.id)).await?;
    let again = stage.guest.done(CART_ADD, "CartCreate", input(&one.id)).await?;
    same("the cart", &again["cart"], first["cart"].clone())?;
    let cart = &first["cart"];
    same("its state", &cart["state"], "ACTIVE")?;
    same("how much is in it", &cart["totalQuantity"], 2)?;
    let money = |minor: i64| json!({ "amountMinor": minor, "currency": "USD" });
    same("the subtotal", &cart["cost"]["subtotal"], money(one.price * 2))?;
    let line = &list(&cart["lines"]["nodes"])?[0];
    same("the line's total", &line["total"]["amountMinor"], one.price * 2)?;
    same("its sku", &line["merchandise"]["sku"], one.sku)?;
    same("its product", &line["merchandise"]["product"]["slug"], one.slug)?;
    let reused = stage.guest.payload(CART_ADD, "CartCreate", input(&other.id)).await?;
    ensure!(codes(&reused) == ["IDEMPOTENCY_KEY_REUSED"], "another cart under the key: {reused}");
    Ok(())
}

async fn added_once(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (one, other) = (stage.good()?, stage.good()?);
    let cart = Cart::of(&stage, &stage.guest, &[(&one, 1)]).await?;
    let key = stage.fresh("add");
    let input = |quantity: i64| {
        json!({ "cartId": cart.id, "idempotencyKey": key,
        "lines": [{ "variantId": other.id, "quantity": quantity }] })
    };
    let first = stage.guest.done(CART_ADD, "CartAdd", input(3)).await?;
    let again = stage.guest.done(CART_ADD, "CartAdd", input(3)).await?;
    same("the quantity", &first["cart"]["totalQuantity"], 4)?;
    same("the quantity after sending it again", &again["cart"]["totalQuantity"], 4)?;
    same("the version after sending it again", &again["cart"]["version"], first["cart"]["version"].clone())?;
    let reused = stage.guest.payload(CART_ADD, "CartAdd", input(4)).await?;
    ensure!(codes(&reused) == ["IDEMPOTENCY_KEY_REUSED"], "another add under the key: {reused}");
    Ok(())
}

async fn in_order(stage: Arc<Stage>) -> anyhow::Result<()> {
    let goods = stage.goods_of_different_products(8)?;
    let lines: Vec<_> = goods.iter().map(|good| (good, 1)).collect();
    let cart = Cart::of(&stage, &stage.guest, &lines).await?;
    let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
    let lines = list(&seen["cart"]["lines"]["nodes"])?;
    let order: Vec<&str> = lines.iter().filter_map(|line| line["merchandise"]["id"].as_str()).collect();
    let added: Vec<&str> = goods.iter().map(|good| good.id.as_str()).collect();
    ensure!(order == added, "added {added:?}, shown {order:?}");
    Ok(())
}

async fn beside(stage: Arc<Stage>) -> anyhow::Result<()> {
    let goods = stage.goods_of_different_products(2)?;
    let (one, other) = (&goods[0], &goods[1]);
    // More often than the seeded orders have any two of them.
    for _ in 0..3 {
        let email = format!("{}@example.com", stage.fresh("guest"));
        let cart = Cart::of_guest(&stage, &email, &[(one, 1), (other, 1)]).await?;
        cart.buy(&stage, &stage.guest).await?;
    }
    let cart = Cart::of(&stage, &stage.guest, &[(one, 1)]).await?;
    let recommended = async |id: &str| -> anyhow::Result<Vec<String>> {
        let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": id })).await?;
        let products = list(&seen["cart"]["recommendations"]["products"])?.iter();
        products.map(|product| Ok(text(&product["slug"])?.to_owned())).collect()
    };
    eventually("a recommendation of what was bought with it", || async {
        let slugs = recommended(&cart.id).await?;
        ensure!(!slugs.contains(&one.slug), "{} is in the cart already: {slugs:?}", one.slug);
        Ok((slugs[0] == other.slug).then_some(()))
    })
    .await?;
    let both = Cart::of(&stage, &stage.guest, &[(one, 1), (other, 1)]).await?;
    let slugs = recommended(&both.id).await?;
    ensure!(slugs.len() == 4 && !slugs.contains(&one.slug), "{slugs:?}");
    ensure!(!slugs.contains(&other.slug), "{} is in the cart already: {slugs:?}", other.slug);
    Ok(())
}

async fn repriced(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    let staff = stage.demo("catalog_manager").await?;
    let cart = Cart::of(&stage, &stage.guest, &[(&good, 2)]).await?;
    let codes = json!({ "cartId": cart.id, "codes": [] });
    let before = stage.guest.done(CODES, "Codes", codes.clone()).await?;
    same("no warnings", &before["warnings"], json!([]))?;
    let product = known(&good.slug)?;
    let price =
        json!({ "variantId": good.id, "listPrice": { "amountMinor": good.price + 500, "currency": "USD" } });
    let change =
        json!({ "id": good.product_id, "slug": good.slug, "title": product.texts[0].1, "prices": [price] });
    let refused = stage.guest.ask(UPSERT, Some("Upsert"), json!({ "i": change })).await?;
    ensure!(refused.refusal()?.1 == "UNAUTHENTICATED", "a guest sets prices: {}", refused.text);
    staff.client.done(UPSERT, "Upsert", change).await?;
    eventually("the warning of the new price", || async {
        let payload = stage.guest.done(CODES, "Codes", codes.clone()).await?;
        let warnings = list(&payload["warnings"])?;
        ensure!(warnings.iter().all(|warning| warning["code"] == "PRICE_CHANGED"), "{warnings:?}");
        Ok((warnings.len() == 1).then_some(()))
    })
    .await?;
    let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
    let held = &seen["cart"]["lines"]["nodes"][0]["unitPrice"]["amountMinor"];
    same("the price that the buyer was shown", held, good.price)?;
    // Who comes later pays the new one.
    let later = Cart::of(&stage, &stage.guest, &[(&good, 1)]).await?;
    let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": later.id })).await?;
    let held = &seen["cart"]["lines"]["nodes"][0]["unitPrice"]["amountMinor"];
    same("the new price", held, good.price + 500)
}

async fn parallel_adds(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (one, other) = (stage.good()?, stage.good()?);
    let cart = Cart::of(&stage, &stage.guest, &[(&one, 1)]).await?;
    let adds = (0..20).map(|place| {
        let good = if place % 2 == 0 { &one } else { &other };
        let input = json!({ "cartId": cart.id, "idempotencyKey": stage.fresh("add"),
            "lines": [{ "variantId": good.id, "quantity": 1 }] });
        let guest = &stage.guest;
        async move { guest.done(CART_ADD, "CartAdd", input).await }
    });
    try_join_all(adds).await?;
    let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
    let lines = list(&seen["cart"]["lines"]["nodes"])?;
    let quantity_of = |id: &str| {
        let line = lines.iter().find(|line| line["merchandise"]["id"] == id);
        line.map_or(0, |line| line["quantity"].as_i64().unwrap_or(0))
    };
    ensure!(
        lines.len() == 2 && quantity_of(&one.id) == 11 && quantity_of(&other.id) == 10,
        "lost: {lines:?}"
    );
    same("a version for each", &seen["cart"]["version"], cart.version + 20)
}

async fn negative(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    let cart = Cart::of(&stage, &stage.guest, &[(&good, 2)]).await?;
    for quantity in [-1, 0] {
        let input = json!({ "cartId": cart.id, "idempotencyKey": stage.fresh("add"),
            "lines": [{ "variantId": good.id, "quantity": quantity }] });
        let refused = stage.guest.payload(CART_ADD, "CartAdd", input).await?;
        ensure!(codes(&refused) == ["INVALID"], "{quantity} of it: {refused}");
        same("the field", &refused["userErrors"][0]["field"], json!(["input", "lines", "0", "quantity"]))?;
    }
    let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
    same("the version", &seen["cart"]["version"], cart.version)?;
    same("the quantity", &seen["cart"]["lines"]["nodes"][0]["quantity"], 2)
}

async fn stale(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    let cart = Cart::of(&stage, &stage.guest, &[(&good, 1)]).await?;
    let input = |key: String| {
        json!({ "cartId": cart.id, "idempotencyKey": key, "expectedVersion": cart.version,
        "lines": [{ "variantId": good.id, "quantity": 1 }] })
    };
    let added = stage.guest.done(CART_ADD, "CartAdd", input(stage.fresh("add"))).await?;
    same("one version on", &added["cart"]["version"], cart.version + 1)?;
    let refused = stage.guest.payload(CART_ADD, "CartAdd", input(stage.fresh("add"))).await?;
    ensure!(codes(&refused) == ["VERSION_CONFLICT"], "a stale version: {refused}");
    Ok(())
}

async fn view(stage: Arc<Stage>) -> anyhow::Result<()> {
    let goods = stage.goods_of_different_products(2)?;
    let cart = Cart::of(&stage, &stage.guest, &[(&goods[0], 1), (&goods[1], 2)]).await?;
    let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?["cart"].take();
    for (good, count) in [(&goods[0], 1), (&goods[1], 2)] {
        let lines = list(&seen["lines"]["nodes"])?;
        let line = lines.iter().find(|line| line["merchandise"]["id"] == good.id.as_str());
        let line = line.with_context(|| format!("{} is not in {lines:?}", good.id))?;
        same("the quantity", &line["quantity"], count)?;
        same("the unit price", &line["unitPrice"]["amountMinor"], good.price)?;
        same("nothing is set aside before the checkout", &line["reservation"], Value::Null)?;
        same("stock", &line["merchandise"]["availability"]["status"], "IN_STOCK")?;
        ensure!(number(&line["merchandise"]["availability"]["maxOrderQuantity"])? > 0, "{line}");
        ensure!(text(&line["merchandise"]["image"]["url"])?.contains(".svg"), "{line}");
    }
    same("the total", &seen["cost"]["total"]["amountMinor"], cart.total)?;
    same("no promotions", &seen["promotions"], json!([]))?;
    let ways = list(&seen["availablePaymentMethods"])?;
    ensure!(ways.iter().any(|way| way["code"] == "card"), "ways to pay: {ways:?}");
    for recommended in list(&seen["recommendations"]["products"])? {
        let product = known(text(&recommended["slug"])?)?;
        same("a recommended title", &recommended["title"], product.texts[0].1.clone())?;
    }
    let nothing = stage
        .guest
        .data(CART_VIEW, "CartView", json!({ "id": common::Ids::counted().next::<common::id::Cart>() }))
        .await?;
    same("an unknown cart", &nothing["cart"], Value::Null)
}

async fn promotion_codes(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    let cart = Cart::of(&stage, &stage.guest, &[(&good, 1)]).await?;
    let input = |codes: &[&str]| json!({ "cartId": cart.id, "codes": codes });
    let taken = stage.guest.done(CODES, "Codes", input(&["welcome10"])).await?;
    let off = share(good.price, 1_000);
    same("10% off", &taken["cart"]["cost"]["discount"]["amountMinor"], off)?;
    let promotion =
        json!({ "code": "WELCOME10", "title": "10% to welcome you", "amount": { "amountMinor": off } });
    same("the promotion", &taken["cart"]["promotions"], json!([promotion]))?;
    for (code, expected) in [("NO-SUCH-CODE", "CODE_NOT_FOUND"), ("NEXTYEAR", "CODE_NOT_APPLICABLE")] {
        let refused = stage.guest.payload(CODES, "Codes", input(&["WELCOME10", code])).await?;
        ensure!(codes(&refused) == [expected], "{code}: {refused}");
        let field = &refused["userErrors"][0]["field"];
        same("the field", field, json!(["input", "codes", "1"]))?;
    }
    let removed = stage.guest.done(CODES, "Codes", input(&[])).await?;
    same("nothing off", &removed["cart"]["cost"]["discount"]["amountMinor"], 0)?;
    ensure!(number(&removed["cart"]["version"])? > number(&taken["cart"]["version"])?, "the version stays");
    Ok(())
}

async fn address_and_delivery(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let cart = Cart::of(&stage, &user.client, &[(&good, 1)]).await?;
    let mut fields = address();
    fields["kind"] = "BOTH".into();
    let kept = user.client.done(ADDRESS_DELIVERY, "Addr", fields).await?;
    let input = json!({ "cartId": cart.id, "addressId": kept["address"]["id"] });
    let addressed = user.client.done(ADDRESS_DELIVERY, "CartAddr", input).await?["cart"].take();
    same("the version", &addressed["version"], cart.version + 1)?;
    same("8.25% for California", &addressed["cost"]["tax"]["amountMinor"], share(good.price, 825))?;
    let options = list(&addressed["deliveryOptions"])?;
    let express = options.iter().find(|option| option["id"] == "express").context("an express delivery")?;
    let cost = number(&express["cost"]["amountMinor"])?;
    ensure!(cost > 0, "express for nothing: {express}");
    let input = json!({ "cartId": cart.id, "deliveryOptionId": "express" });
    let chosen = user.client.done(ADDRESS_DELIVERY, "CartDelivery", input).await?["cart"].take();
    same("the version", &chosen["version"], cart.version + 2)?;
    same("the delivery", &chosen["cost"]["shipping"]["amountMinor"], cost)?;
    let total = good.price + cost + share(good.price, 825) + share(cost, 825);
    same("the total", &chosen["cost"]["total"], json!({ "amountMinor": total, "currency": "USD" }))?;
    let mut oregon = address();
    oregon["region"] = "OR".into();
    let moved = user
        .client
        .done(ADDRESS_DELIVERY, "CartAddr", json!({ "cartId": cart.id, "address": oregon }))
        .await?;
    same("no tax in Oregon", &moved["cart"]["cost"]["tax"]["amountMinor"], 0)?;
    let input = json!({ "cartId": cart.id, "deliveryOptionId": "by-pigeon" });
    let refused = user.client.payload(ADDRESS_DELIVERY, "CartDelivery", input).await?;
    ensure!(codes(&refused).len() == 1, "an unknown delivery: {refused}");
    Ok(())
}
