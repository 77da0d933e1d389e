//! Many at once: nothing is lost, nothing is sold twice.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::future::{join_all, try_join_all};
use serde_json::json;

use crate::client::{codes, list, number, same};
use crate::flows::Flow;
use crate::operations::{CART_ADD, CART_VIEW, CHECKOUT};
use crate::shopper::{Cart, decided};
use crate::stage::{Stage, eventually};

pub const FLOWS: &[Flow] = &[
    ("50 checkouts of the last 10 are 10 orders and 40 refusals", |stage| Box::pin(last_ten(stage))),
    ("100 shoppers fill carts of 20 lines and lose none", |stage| Box::pin(hundred_shoppers(stage))),
];

const SHOPPERS: usize = 100;
const LINES: usize = 20;

async fn last_ten(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    stage.leave(&good, 10).await?;
    let carts = (0..50).map(|buyer| {
        let (stage, good) = (Arc::clone(&stage), good.clone());
        async move { Cart::of_guest(&stage, &format!("crowd-{buyer}@example.com"), &[(&good, 1)]).await }
    });
    let carts = try_join_all(carts).await?;
    let checkouts = carts.iter().map(|cart| {
        let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
        let stage = Arc::clone(&stage);
        async move {
            let payload = stage.guest.payload(CHECKOUT, "Checkout", input).await?;
            let state = decided(&stage.guest, &payload["attempt"]).await?;
            anyhow::Ok((state, payload))
        }
    });
    let (mut orders, mut refusals) = (0, 0);
    for ended in join_all(checkouts).await {
        let (state, payload) = ended?;
        if state == "CONFIRMED" {
            orders += 1;
            continue;
        }
        let failed =
            crate::shopper::outcome(&stage.guest, payload["attempt"]["id"].as_str().context("an id")?)
                .await?;
        same("why", &failed["code"], "INSUFFICIENT_STOCK")?;
        ensure!(codes(&payload).is_empty() || codes(&payload) == ["INSUFFICIENT_STOCK"], "{payload}");
        refusals += 1;
    }
    ensure!((orders, refusals) == (10, 40), "{orders} orders and {refusals} refusals");
    ensure!(stage.available(&good).await? == 0, "something is left");
    let staff = stage.demo("warehouse").await?;
    let query = "query Levels($id: ID!) { node(id: $id) { ... on ProductVariant { \
        stockLevels { onHand reserved allocated available } } } }";
    let levels = staff.client.data(query, "Levels", json!({ "id": good.id })).await?;
    for level in list(&levels["node"]["stockLevels"])? {
        for part in ["onHand", "reserved", "allocated", "available"] {
            ensure!(number(&level[part])? >= 0, "below zero: {level}");
        }
    }
    // Staff find ten orders of it, all paid.
    let support = stage.demo("support").await?;
    eventually("ten payments", || async {
        let query =
            "{ orders(first: 60, status: CONFIRMED) { nodes { email lines { sku } payments { state } } } }";
        let answer = support.client.ask(query, None, json!({})).await?.json()?;
        let ours = list(&answer["data"]["orders"]["nodes"])?.iter().filter(|order| {
            order["lines"][0]["sku"] == good.sku.as_str() && order["payments"][0]["state"] == "CAPTURED"
        });
        let count = ours.count();
        ensure!(count <= 10, "{count} paid orders");
        Ok((count == 10).then_some(()))
    })
    .await
}

async fn hundred_shoppers(stage: Arc<Stage>) -> anyhow::Result<()> {
    let goods = Arc::new(stage.goods_of_different_products(LINES)?);
    let shopping = (0..SHOPPERS).map(|_| {
        let (stage, goods) = (Arc::clone(&stage), Arc::clone(&goods));
        async move {
            let cart = Cart::of(&stage, &stage.guest, &[]).await?;
            for good in goods.iter() {
                let input = json!({ "cartId": cart.id, "idempotencyKey": stage.fresh("add"),
                    "lines": [{ "variantId": good.id, "quantity": 2 }] });
                stage.guest.done(CART_ADD, "CartAdd", input).await?;
            }
            let seen = stage.guest.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
            let lines = list(&seen["cart"]["lines"]["nodes"])?;
            for good in goods.iter() {
                let line = lines.iter().find(|line| line["merchandise"]["id"] == good.id.as_str());
                let line = line.with_context(|| format!("{} is lost in {}", good.sku, cart.id))?;
                same("how many", &line["quantity"], 2)?;
            }
            ensure!(lines.len() == LINES, "{} lines", lines.len());
            anyhow::Ok(())
        }
    });
    try_join_all(shopping).await.map(drop)
}
