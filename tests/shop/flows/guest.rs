//! A guest's whole way: operation 17.

use std::sync::Arc;

use anyhow::ensure;
use serde_json::{Value, json};

use super::Flow;
use crate::client::{codes, same, text};
use crate::operations::GUEST;
use crate::shopper::{Cart, address, decided, outcome};
use crate::stage::Stage;

pub const FLOWS: &[Flow] = &[
    ("a guest buys and reads the order by its token", |stage| Box::pin(buys(stage))),
    ("a guest's cart lacks nothing silently", |stage| Box::pin(incomplete(stage))),
];

async fn buys(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    let email = format!("{}@example.com", stage.fresh("guest"));
    let cart = Cart::of(&stage, &stage.guest, &[(&good, 2)]).await?;
    let bad =
        stage.guest.payload(GUEST, "GuestBuyer", json!({ "cartId": cart.id, "email": "nowhere" })).await?;
    ensure!(codes(&bad) == ["INVALID"], "no address: {bad}");
    let named = stage.guest.done(GUEST, "GuestBuyer", json!({ "cartId": cart.id, "email": email })).await?;
    same("the buyer", &named["cart"]["buyerEmail"], email.clone())?;
    let input = json!({ "cartId": cart.id, "address": address() });
    let addressed = stage.guest.done(GUEST, "GuestAddress", input).await?;
    let shown =
        json!({ "line1": "12 Analytical Way", "city": "Oakland", "countryCode": "US", "complete": true });
    same("the address", &addressed["cart"]["shippingAddress"], shown)?;
    let cart = cart.ready(&stage.guest).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    let payload = stage.guest.done(GUEST, "GuestCheckout", input).await?;
    decided(&stage.guest, &payload["attempt"]).await?;
    let outcome = outcome(&stage.guest, text(&payload["attempt"]["id"])?).await?;
    let (number, token) = (text(&outcome["order"]["number"])?, text(&outcome["guestToken"])?);
    let seen = stage.guest.data(GUEST, "GuestOrder", json!({ "number": number, "token": token })).await?;
    let order = &seen["order"];
    same("the number", &order["number"], number)?;
    same("its state", &order["status"], "CONFIRMED")?;
    same("the buyer", &order["email"], email)?;
    same("the total", &order["totals"]["total"], json!({ "amountMinor": cart.total, "currency": "USD" }))?;
    same("the lines", &order["lines"][0]["quantity"], 2)?;
    let sent_to = json!({ "recipient": "Ada Lovelace", "city": "Oakland", "countryCode": "US" });
    same("where it goes", &order["shippingAddress"], sent_to)?;
    let other = Cart::of_guest(&stage, "other@example.com", &[(&good, 1)]).await?;
    let other = other.buy(&stage, &stage.guest).await?;
    let others = crate::shopper::outcome(&stage.guest, &other.attempt).await?;
    for (what, number, token) in [
        ("a wrong token", number, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("no token", number, ""),
        ("another's token", number, text(&others["guestToken"])?),
        ("a number that is none", "TP-0000000000", token),
    ] {
        let seen = stage.guest.data(GUEST, "GuestOrder", json!({ "number": number, "token": token })).await?;
        same(what, &seen["order"], Value::Null)?;
    }
    Ok(())
}

async fn incomplete(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    let before = stage.available(&good).await?;
    let cart = Cart::of(&stage, &stage.guest, &[(&good, 1)]).await?;
    let input = cart.checkout(&stage.fresh("checkout"), "tok_approve");
    let payload = stage.guest.payload(GUEST, "GuestCheckout", input).await?;
    ensure!(codes(&payload) == ["INVALID"], "neither buyer nor address: {payload}");
    same("the attempt", &payload["attempt"]["state"], "FAILED")?;
    ensure!(stage.available(&good).await? == before, "stock is held");
    Ok(())
}
