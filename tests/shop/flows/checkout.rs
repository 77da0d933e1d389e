//! The checkout: operation 11 with every kind of card.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};

use super::Flow;
use crate::client::{Client, codes, list, same, text};
use crate::operations::{CART_VIEW, CHECKOUT, CONFIRM_ACTION, ORDERS};
use crate::shopper::{Cart, decided, outcome};
use crate::stage::{Stage, eventually};

pub const FLOWS: &[Flow] = &[
    ("a good card makes an order, paid and confirmed", |stage| Box::pin(approved(stage))),
    ("a declined card leaves stock and cart as they were", |stage| Box::pin(declined(stage))),
    ("a card that asks for an action waits for it", |stage| Box::pin(action(stage))),
    ("an action that fails makes no order", |stage| Box::pin(action_fails(stage))),
    ("an unknown card is refused", |stage| Box::pin(unknown_card(stage))),
    ("slow and shaky providers still make one order", |stage| Box::pin(shaky(stage))),
    ("a stale total is refused with the total of now", |stage| Box::pin(stale_total(stage))),
    ("a stale version is refused with the version of now", |stage| Box::pin(stale_version(stage))),
    ("a double submit is one order and one payment", |stage| Box::pin(double_submit(stage))),
    ("two keys for one cart are one order", |stage| Box::pin(two_keys(stage))),
    ("a key is not taken for another checkout", |stage| Box::pin(key_reused(stage))),
    ("more than there is is refused and holds nothing", |stage| Box::pin(too_many(stage))),
];

async fn approved(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let before = stage.available(&good).await?;
    let cart = Cart::of_user(&stage, &user, &[(&good, 2)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    let payload = user.client.done(CHECKOUT, "Checkout", input.clone()).await?;
    ensure!(decided(&user.client, &payload["attempt"]).await? == "CONFIRMED", "{payload}");
    let id = payload["attempt"]["id"].clone();
    let attempt = user.client.data(CHECKOUT, "Attempt", json!({ "id": id })).await?["checkoutAttempt"].take();
    same("no action", &attempt["clientAction"], Value::Null)?;
    same("the outcome", &attempt["outcome"]["__typename"], "CheckoutSucceeded")?;
    same("the order", &attempt["outcome"]["order"]["status"], "CONFIRMED")?;
    let again = user.client.done(CHECKOUT, "Checkout", input).await?;
    same("the same attempt when it is sent again", &again["attempt"]["id"], id)?;
    ensure!(stage.available(&good).await? == before - 2, "stock of {}", good.sku);
    eventually("the cart's end", || async {
        let seen = user
            .client
            .data("query State($id: ID) { cart(id: $id) { state } }", "State", json!({ "id": cart.id }))
            .await?;
        Ok((seen["cart"]["state"] == "ORDERED").then_some(()))
    })
    .await
}

async fn declined(stage: Arc<Stage>) -> anyhow::Result<()> {
    for (card, retryable) in [("tok_decline", true), ("tok_insufficient", false), ("tok_expired", false)] {
        let user = stage.user().await?;
        let good = stage.good()?;
        let before = stage.available(&good).await?;
        let cart = Cart::of_user(&stage, &user, &[(&good, 2)]).await?;
        let input = cart.checkout(&stage.fresh("checkout"), card);
        let payload = user.client.payload(CHECKOUT, "Checkout", input).await?;
        ensure!(decided(&user.client, &payload["attempt"]).await? == "FAILED", "{card}: {payload}");
        let failed = outcome(&user.client, text(&payload["attempt"]["id"])?).await?;
        same("the outcome", &failed["__typename"], "CheckoutFailed")?;
        same("its code", &failed["code"], "PAYMENT_DECLINED")?;
        same("whether to try again", &failed["retryable"], retryable)?;
        ensure!(codes(&payload) == ["PAYMENT_DECLINED"], "{card}: {payload}");
        ensure!(stage.available(&good).await? == before, "{card} holds stock of {}", good.sku);
        let seen = user.client.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
        same("what is in the cart", &seen["cart"]["lines"]["nodes"][0]["quantity"], 2)?;
        same("what it holds", &seen["cart"]["lines"]["nodes"][0]["reservation"], Value::Null)?;
        // Another card goes through.
        let version = seen["cart"]["version"].as_i64().context("a version")?;
        let order = Cart { version, ..cart }.buy(&stage, &user.client).await?;
        text(&json!(order.number))?;
        ensure!(stage.available(&good).await? == before - 2, "stock after the second card");
    }
    Ok(())
}

async fn action(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let before = stage.available(&good).await?;
    let cart = Cart::of_user(&stage, &user, &[(&good, 1)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_action");
    let payload = user.client.done(CHECKOUT, "Checkout", input).await?;
    let (id, secret) = waiting(&user.client, &payload).await?;
    ensure!(stage.available(&good).await? == before - 1, "nothing is set aside while the buyer acts");
    let held = reservation(&user.client, &cart).await?;
    same("what the line holds", &held["state"], "ACTIVE")?;
    text(&held["expiresAt"]).context("when it is free again")?;
    let wrong = json!({ "id": id, "secret": "secret_of_another" });
    let data = user.client.data(CONFIRM_ACTION, "Confirm", wrong).await?;
    same("a wrong secret", &data["testPaymentActionComplete"], false)?;
    let data = user.client.data(CONFIRM_ACTION, "Confirm", json!({ "id": id, "secret": secret })).await?;
    same("the action", &data["testPaymentActionComplete"], true)?;
    ensure!(
        decided(&user.client, &json!({ "id": id })).await? == "CONFIRMED",
        "not confirmed after the action"
    );
    let held = reservation(&user.client, &cart).await?;
    same("what the line holds after it", &held, json!({ "state": "COMMITTED", "expiresAt": null }))?;
    same("the order", &outcome(&user.client, &id).await?["order"]["status"], "CONFIRMED")
}

/// What is set aside for the first line of a cart.
async fn reservation(client: &Client, cart: &Cart) -> anyhow::Result<Value> {
    let mut seen = client.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
    Ok(seen["cart"]["lines"]["nodes"][0]["reservation"].take())
}

/// The id and the secret of an attempt that waits for its buyer.
async fn waiting(client: &Client, payload: &Value) -> anyhow::Result<(String, String)> {
    let id = text(&payload["attempt"]["id"])?.to_owned();
    let query = "query Action($id: ID!) { checkoutAttempt(id: $id) { state clientAction { kind clientSecret } \
        outcome { __typename } } }";
    let attempt = eventually("the wish for an action", || async {
        let mut data = client.data(query, "Action", json!({ "id": id })).await?;
        Ok((data["checkoutAttempt"]["state"] == "ACTION_REQUIRED").then(|| data["checkoutAttempt"].take()))
    })
    .await?;
    same("the outcome", &attempt["outcome"]["__typename"], "CheckoutActionRequired")?;
    text(&attempt["clientAction"]["kind"])?;
    Ok((id, text(&attempt["clientAction"]["clientSecret"])?.to_owned()))
}

async fn action_fails(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let before = stage.available(&good).await?;
    let cart = Cart::of_user(&stage, &user, &[(&good, 1)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_action_fail");
    let payload = user.client.done(CHECKOUT, "Checkout", input).await?;
    let (id, secret) = waiting(&user.client, &payload).await?;
    let data = user.client.data(CONFIRM_ACTION, "Confirm", json!({ "id": id, "secret": secret })).await?;
    same("the action", &data["testPaymentActionComplete"], true)?;
    ensure!(
        decided(&user.client, &json!({ "id": id })).await? == "FAILED",
        "confirmed although the bank said no"
    );
    same("the code", &outcome(&user.client, &id).await?["code"], "PAYMENT_DECLINED")?;
    ensure!(stage.available(&good).await? == before, "stock is held");
    Ok(())
}

async fn unknown_card(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let cart = Cart::of_user(&stage, &user, &[(&stage.good()?, 1)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_of_nobody");
    let payload = user.client.payload(CHECKOUT, "Checkout", input).await?;
    ensure!(codes(&payload) == ["PAYMENT_METHOD_INVALID"], "{payload}");
    ensure!(decided(&user.client, &payload["attempt"]).await? == "FAILED", "{payload}");
    Ok(())
}

async fn shaky(stage: Arc<Stage>) -> anyhow::Result<()> {
    for card in ["tok_slow", "tok_timeout_then_success", "tok_error", "tok_webhook_first"] {
        let user = stage.user().await?;
        let good = stage.good()?;
        let cart = Cart::of_user(&stage, &user, &[(&good, 1)]).await?;
        let input = cart.checkout(&stage.fresh("checkout"), card);
        let payload = user.client.payload(CHECKOUT, "Checkout", input).await?;
        let state = decided(&user.client, &payload["attempt"]).await.with_context(|| card)?;
        ensure!(state == "CONFIRMED", "{card}: {state}: {payload}");
        one_paid_order(&user.client, cart.total).await.with_context(|| card)?;
    }
    Ok(())
}

/// The user has one order, paid once.
async fn one_paid_order(client: &Client, total: i64) -> anyhow::Result<()> {
    let mine = client.data(ORDERS, "MyOrders", json!({})).await?;
    let orders = list(&mine["me"]["orders"]["nodes"])?;
    let confirmed: Vec<&Value> = orders.iter().filter(|order| order["status"] == "CONFIRMED").collect();
    ensure!(confirmed.len() == 1, "{} confirmed orders: {orders:?}", confirmed.len());
    let id = confirmed[0]["id"].clone();
    eventually("the payment", || async {
        let detail = client.data(ORDERS, "OrderDetail", json!({ "id": id })).await?;
        let payments = list(&detail["order"]["payments"])?;
        ensure!(payments.len() == 1, "{} payments: {payments:?}", payments.len());
        Ok((payments[0]["state"] == "CAPTURED" && payments[0]["captured"]["amountMinor"] == total)
            .then_some(()))
    })
    .await
}

async fn stale_total(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let cart = Cart::of_user(&stage, &user, &[(&stage.good()?, 1)]).await?;
    let mut input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    input["expectedTotal"]["amountMinor"] = json!(cart.total - 1);
    let payload = user.client.payload(CHECKOUT, "Checkout", input).await?;
    ensure!(codes(&payload) == ["TOTAL_MISMATCH"], "{payload}");
    let error = &payload["userErrors"][0];
    same(
        "the total of now",
        &error["currentTotal"],
        json!({ "amountMinor": cart.total, "currency": "USD" }),
    )?;
    same("the version of now", &error["currentVersion"], cart.version)?;
    let mine = user.client.data(ORDERS, "MyOrders", json!({})).await?;
    let orders = list(&mine["me"]["orders"]["nodes"])?;
    ensure!(orders.iter().all(|order| order["status"] != "CONFIRMED"), "an order all the same: {orders:?}");
    cart.buy(&stage, &user.client).await.map(drop)
}

async fn stale_version(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let cart = Cart::of_user(&stage, &user, &[(&stage.good()?, 1)]).await?;
    let mut input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    input["cartVersion"] = json!(cart.version - 1);
    let payload = user.client.payload(CHECKOUT, "Checkout", input).await?;
    ensure!(codes(&payload) == ["CART_CHANGED"], "{payload}");
    same("the version of now", &payload["userErrors"][0]["currentVersion"], cart.version)
}

async fn double_submit(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let before = stage.available(&good).await?;
    let cart = Cart::of_user(&stage, &user, &[(&good, 1)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    let submits = (0..4).map(|_| user.client.payload(CHECKOUT, "Checkout", input.clone()));
    let payloads = try_join_all(submits).await?;
    for payload in &payloads {
        same("one attempt", &payload["attempt"]["id"], payloads[0]["attempt"]["id"].clone())?;
    }
    ensure!(decided(&user.client, &payloads[0]["attempt"]).await? == "CONFIRMED", "{payloads:?}");
    one_paid_order(&user.client, cart.total).await?;
    ensure!(stage.available(&good).await? == before - 1, "sold more than once");
    Ok(())
}

async fn two_keys(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let before = stage.available(&good).await?;
    let cart = Cart::of_user(&stage, &user, &[(&good, 1)]).await?;
    let submits = (0..4).map(|_| {
        let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
        user.client.payload(CHECKOUT, "Checkout", input)
    });
    let mut confirmed = 0;
    for payload in join_all(submits).await {
        let payload = payload?;
        let state = decided(&user.client, &payload["attempt"]).await?;
        confirmed += usize::from(state == "CONFIRMED");
        let refusals = codes(&payload);
        let typed = ["IDEMPOTENCY_IN_PROGRESS", "CART_CHANGED"];
        ensure!(state == "CONFIRMED" || refusals.iter().all(|code| typed.contains(code)), "{payload}");
    }
    ensure!(confirmed == 1, "{confirmed} of 4 checkouts of one cart were confirmed");
    one_paid_order(&user.client, cart.total).await?;
    ensure!(stage.available(&good).await? == before - 1, "sold more than once");
    Ok(())
}

async fn key_reused(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let good = stage.good()?;
    let cart = Cart::of_user(&stage, &user, &[(&good, 1)]).await?;
    let key = stage.fresh("checkout");
    let payload = user.client.done(CHECKOUT, "Checkout", cart.checkout(&key, "tok_approve")).await?;
    decided(&user.client, &payload["attempt"]).await?;
    let other = user.client.payload(CHECKOUT, "Checkout", cart.checkout(&key, "tok_slow")).await?;
    ensure!(codes(&other) == ["IDEMPOTENCY_KEY_REUSED"] && other["attempt"].is_null(), "{other}");
    Ok(())
}

async fn too_many(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let goods = stage.goods_of_different_products(2)?;
    stage.leave(&goods[0], 1).await?;
    let before = stage.available(&goods[1]).await?;
    let cart = Cart::of_user(&stage, &user, &[(&goods[1], 1), (&goods[0], 2)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    let payload = user.client.payload(CHECKOUT, "Checkout", input).await?;
    ensure!(codes(&payload) == ["INSUFFICIENT_STOCK"], "{payload}");
    ensure!(decided(&user.client, &payload["attempt"]).await? == "FAILED", "{payload}");
    ensure!(stage.available(&goods[0]).await? == 1, "the last one is held");
    ensure!(stage.available(&goods[1]).await? == before, "the other line is held");
    Ok(())
}
