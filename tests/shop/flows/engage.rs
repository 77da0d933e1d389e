//! Wish lists, alerts and reviews: operation 15.

use std::sync::Arc;

use anyhow::ensure;
use serde_json::{Value, json};

use super::Flow;
use crate::client::{codes, list, number, same};
use crate::operations::ENGAGE;
use crate::shopper::Cart;
use crate::stage::{Stage, User, eventually};

/// Buyers who review before it fails.
const BUYERS: i64 = 5;

pub const FLOWS: &[Flow] = &[
    ("a wish list keeps a variant once", |stage| Box::pin(wish(stage))),
    ("a stock alert is told when goods come in", |stage| Box::pin(alert(stage))),
    ("a buyer's review is a verified purchase and another's is not", |stage| Box::pin(review(stage))),
];

async fn wish(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let (one, other) = (stage.good()?, stage.good()?);
    let first = user.client.done(ENGAGE, "Wish", json!({ "variantId": one.id })).await?;
    same("the list", &first["wishlist"]["items"], json!([{ "id": one.id }]))?;
    let again = user.client.done(ENGAGE, "Wish", json!({ "variantId": one.id })).await?;
    same("the same wish again", &again, first.clone())?;
    let list_id = first["wishlist"]["id"].clone();
    let second =
        user.client.done(ENGAGE, "Wish", json!({ "wishlistId": list_id, "variantId": other.id })).await?;
    same("both", &second["wishlist"]["items"], json!([{ "id": one.id }, { "id": other.id }]))?;
    let query = "query Lists { me { wishlists { name items { id title product { slug } } } } }";
    let lists = user.client.data(query, "Lists", json!({})).await?;
    same("in the account", &lists["me"]["wishlists"][0]["items"][0]["product"]["slug"], one.slug)?;
    let stranger = stage.user().await?;
    let input = json!({ "wishlistId": first["wishlist"]["id"], "variantId": other.id });
    let refused = stranger.client.payload(ENGAGE, "Wish", input).await?;
    ensure!(codes(&refused) == ["NOT_FOUND"], "another's list: {refused}");
    let guest = stage.guest.ask(ENGAGE, Some("Wish"), json!({ "i": { "variantId": other.id } })).await?;
    ensure!(guest.refusal()?.1 == "UNAUTHENTICATED", "a guest's wish: {}", guest.text);
    Ok(())
}

async fn alert(stage: Arc<Stage>) -> anyhow::Result<()> {
    let good = stage.good()?;
    stage.leave(&good, 0).await?;
    same("sold out", &stage.availability(&good).await?["status"], "OUT_OF_STOCK")?;
    let email = format!("{}@example.com", stage.fresh("waiting"));
    let asked = stage.guest.done(ENGAGE, "Alert", json!({ "variantId": good.id, "email": email })).await?;
    same("taken", &asked["ok"], true)?;
    let nobody = stage.guest.payload(ENGAGE, "Alert", json!({ "variantId": good.id })).await?;
    ensure!(codes(&nobody) == ["INVALID"], "an alert to nobody: {nobody}");
    let staff = stage.demo("warehouse").await?;
    stage.adjust(&staff, &good, 0, 25).await?;
    same("there is some again", &stage.availability(&good).await?["status"], "IN_STOCK")?;
    let folder = stage.data.join("notifications").join("mail");
    eventually("the mail about the goods", || async {
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(None) };
        for entry in entries {
            let path = entry?.path();
            let mail = path.extension().is_some_and(|ending| ending == "eml");
            if mail && std::fs::read_to_string(path)?.contains(&format!("To: <{email}>")) {
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
    .await
}

/// Waits until the buyer's order is paid.
async fn paid(buyer: &User) -> anyhow::Result<()> {
    let orders = "query Mine { me { orders(first: 1) { nodes { financialStatus } } } }";
    eventually("the payment", || async {
        let mine = buyer.client.data(orders, "Mine", json!({})).await?;
        Ok((mine["me"]["orders"]["nodes"][0]["financialStatus"] == "PAID").then_some(()))
    })
    .await
}

async fn review(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (buyer, other) = (stage.user().await?, stage.user().await?);
    let good = stage.good()?;
    let page = "query Page($slug: String!) { product(slug: $slug) { ratingCount \
        reviews(first: 2) { nodes { body verifiedPurchase author { id } } } } }";
    let seen = stage.guest.data(page, "Page", json!({ "slug": good.slug })).await?;
    let before = number(&seen["product"]["ratingCount"])?;
    let input =
        |rating: i64, body: &str| json!({ "productId": good.product_id, "rating": rating, "body": body });
    let written = other.client.done(ENGAGE, "Review", input(3, "I have only seen it.")).await?;
    same("of somebody who did not buy", &written["review"]["verifiedPurchase"], false)?;
    let again = other.client.payload(ENGAGE, "Review", input(5, "Once more.")).await?;
    ensure!(codes(&again) == ["NOT_ELIGIBLE"] && again["review"].is_null(), "a second one: {again}");
    let bad = buyer.client.payload(ENGAGE, "Review", input(6, "Six of five.")).await?;
    ensure!(codes(&bad) == ["INVALID"], "six of five: {bad}");
    // What was bought reaches the catalogue by an event, and a buyer reviews once: a buyer who is too early stays
    // unverified, and the next one tries.
    for buyers in 1..=BUYERS {
        let buyer = stage.user().await?;
        Cart::of_user(&stage, &buyer, &[(&good, 1)]).await?.buy(&stage, &buyer.client).await?;
        paid(&buyer).await?;
        let written = buyer.client.done(ENGAGE, "Review", input(5, "It holds what it promises.")).await?;
        let seen = stage.guest.data(page, "Page", json!({ "slug": good.slug })).await?;
        same("counted", &seen["product"]["ratingCount"], before + 1 + buyers)?;
        let verified = written["review"]["verifiedPurchase"] == true;
        let shown = json!({ "body": "It holds what it promises.", "verifiedPurchase": verified,
            "author": { "id": buyer.id } });
        same("shown first", &list(&seen["product"]["reviews"]["nodes"])?[0], shown)?;
        if verified {
            break;
        }
        ensure!(buyers < BUYERS, "none of {BUYERS} buyers is a verified purchaser");
    }
    let missing = stage.guest.ask(ENGAGE, Some("Review"), json!({ "i": input(4, "A guest.") })).await?;
    ensure!(
        missing.refusal()?.1 == "UNAUTHENTICATED" && missing.json()?["data"] == Value::Null,
        "{}",
        missing.text
    );
    Ok(())
}
