//! Accounts and sessions: operations 09 and the sessions of 17.

use std::sync::Arc;

use anyhow::ensure;
use serde_json::{Value, json};

use super::Flow;
use crate::client::{codes, list, same, text};
use crate::operations::{CART_VIEW, GUEST, LOGIN_MERGE, REGISTER};
use crate::shopper::Cart;
use crate::stage::{PASSWORD, Stage};

pub const FLOWS: &[Flow] = &[
    ("a guest's cart becomes the user's, once", |stage| Box::pin(merge(stage))),
    ("a wrong password and a taken address are refused", |stage| Box::pin(refused(stage))),
    ("a refresh token works once", |stage| Box::pin(refresh(stage))),
    ("after a log-out a session cannot be refreshed", |stage| Box::pin(log_out(stage))),
    ("a user's cart is nobody else's", |stage| Box::pin(private_cart(stage))),
    ("staff see personal data and shoppers do not", |stage| Box::pin(roles(stage))),
];

async fn merge(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let goods = stage.goods_of_different_products(2)?;
    let own = Cart::of(&stage, &user.client, &[(&goods[0], 1)]).await?;
    let guest = Cart::of(&stage, &stage.guest, &[(&goods[0], 2), (&goods[1], 3)]).await?;
    let log_in = json!({ "email": user.email, "password": PASSWORD });
    let session = stage.guest.done(LOGIN_MERGE, "Login", log_in).await?["result"].take();
    same("a session", &session["__typename"], "Session")?;
    same("who", &session["user"]["email"], user.email.clone())?;
    let seen = json!({ "id": own.id, "version": own.version, "totalQuantity": 1 });
    same("the user's cart, at once", &session["user"]["cart"], seen)?;
    let client = stage.guest.with_token(text(&session["accessToken"])?);
    let mine = client.data("query Mine { me { cart { id totalQuantity } } }", "Mine", json!({})).await?;
    same("the user's cart", &mine["me"]["cart"], json!({ "id": own.id, "totalQuantity": 1 }))?;
    let input = json!({ "guestCartId": guest.id, "idempotencyKey": stage.fresh("merge") });
    let merged = client.done(LOGIN_MERGE, "Merge", input.clone()).await?;
    same("the cart", &merged["cart"]["id"], own.id.clone())?;
    same("all of it", &merged["cart"]["totalQuantity"], 6)?;
    let again = client.done(LOGIN_MERGE, "Merge", input).await?;
    same("the same again", &again["cart"], merged["cart"].clone())?;
    let other_key = json!({ "guestCartId": guest.id, "idempotencyKey": stage.fresh("merge") });
    let again = client.done(LOGIN_MERGE, "Merge", other_key).await?;
    same("under another key", &again["cart"]["totalQuantity"], 6)?;
    let seen = client.data(CART_VIEW, "CartView", json!({ "id": null })).await?["cart"].take();
    same("the user's cart without its id", &seen["id"], own.id)?;
    let quantities: Vec<&Value> =
        list(&seen["lines"]["nodes"])?.iter().map(|line| &line["quantity"]).collect();
    ensure!(quantities == [&json!(3), &json!(3)], "lines: {quantities:?}");
    Ok(())
}

async fn refused(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let wrong = json!({ "email": user.email, "password": "not the password" });
    let refused = stage.guest.payload(LOGIN_MERGE, "Login", wrong).await?;
    ensure!(codes(&refused) == ["INVALID"] && refused["result"].is_null(), "a wrong password: {refused}");
    let nobody = json!({ "email": "nobody@example.com", "password": "not the password" });
    let unknown = stage.guest.payload(LOGIN_MERGE, "Login", nobody).await?;
    same("nobody is told who has an account", &unknown, refused)?;
    // Two log-ins in one operation: each sees its own cart or none, and never the other's.
    let other = stage.user().await?;
    let good = stage.good()?;
    let mut carts = Vec::new();
    for user in [&user, &other] {
        carts.push(Cart::of(&stage, &user.client, &[(&good, 1)]).await?.id);
    }
    let log_in = |name: &str, email: &str| {
        format!(
            "{name}: sessionCreate(input: {{ email: \"{email}\", password: \"{PASSWORD}\" }}) \
            {{ result {{ ... on Session {{ user {{ cart {{ id }} }} }} }} }}"
        )
    };
    let both = format!("mutation Both {{ {} {} }}", log_in("one", &user.email), log_in("two", &other.email));
    let seen = stage.guest.data(&both, "Both", json!({})).await?;
    for (name, own) in [("one", &carts[0]), ("two", &carts[1])] {
        let cart = &seen[name]["result"]["user"]["cart"]["id"];
        ensure!(cart.is_null() || cart == own.as_str(), "{name} has the cart {own} and sees {seen}");
    }
    same("the last one's cart", &seen["two"]["result"]["user"]["cart"]["id"], carts[1].clone())?;
    for (email, password, code) in [
        (user.email.as_str(), PASSWORD, "TAKEN"),
        ("no address", PASSWORD, "INVALID"),
        ("short@example.com", "short", "WEAK_PASSWORD"),
    ] {
        let input = json!({ "email": email, "password": password });
        let refused = stage.guest.payload(REGISTER, "Register", input).await?;
        ensure!(codes(&refused) == [code] && refused["user"].is_null(), "{email}, {password}: {refused}");
    }
    Ok(())
}

async fn refresh(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let input = json!({ "refreshToken": user.refresh_token });
    let fresh = stage.guest.done(GUEST, "Refresh", input.clone()).await?["result"].take();
    same("a session", &fresh["__typename"], "Session")?;
    let client = stage.guest.with_token(text(&fresh["accessToken"])?);
    let me = client.data("query Me { me { id } }", "Me", json!({})).await?;
    same("who it is", &me["me"]["id"], user.id)?;
    let again = stage.guest.payload(GUEST, "Refresh", input).await?;
    ensure!(codes(&again) == ["TOKEN_EXPIRED"] && again["result"].is_null(), "a second time: {again}");
    // Whoever brought it again may be a thief: the session is over for both.
    let input = json!({ "refreshToken": fresh["refreshToken"] });
    let ended = stage.guest.payload(GUEST, "Refresh", input).await?;
    ensure!(codes(&ended) == ["TOKEN_EXPIRED"], "the family lives on: {ended}");
    Ok(())
}

async fn log_out(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let ended = user.client.data(GUEST, "LogOut", json!({})).await?;
    same("logged out", &ended["sessionEnd"]["ok"], true)?;
    let input = json!({ "refreshToken": user.refresh_token });
    let refused = stage.guest.payload(GUEST, "Refresh", input).await?;
    ensure!(codes(&refused) == ["TOKEN_EXPIRED"], "after the log-out: {refused}");
    let nobody = stage.guest.ask(GUEST, Some("LogOut"), json!({})).await?;
    ensure!(nobody.refusal()?.1 == "UNAUTHENTICATED", "a guest logs out: {}", nobody.text);
    Ok(())
}

async fn private_cart(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (owner, other) = (stage.user().await?, stage.user().await?);
    let good = stage.good()?;
    let cart = Cart::of(&stage, &owner.client, &[(&good, 1)]).await?;
    for client in [&other.client, &stage.guest] {
        let seen = client.data(CART_VIEW, "CartView", json!({ "id": cart.id })).await?;
        same("another's cart", &seen["cart"], Value::Null)?;
    }
    Ok(())
}

async fn roles(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (user, staff) = (stage.user().await?, stage.demo("support").await?);
    let query = "query Who($id: ID!) { user(id: $id) { email } }";
    let seen = staff.client.data(query, "Who", json!({ "id": user.id })).await?;
    same("what support sees", &seen["user"]["email"], user.email)?;
    let refused = user.client.ask(query, Some("Who"), json!({ "id": staff.id })).await?;
    ensure!(refused.refusal()? == (200, "FORBIDDEN".to_owned()), "a shopper looks: {}", refused.text);
    let refused = stage.guest.ask(query, Some("Who"), json!({ "id": staff.id })).await?;
    ensure!(refused.refusal()?.1 == "UNAUTHENTICATED", "a guest looks: {}", refused.text);
    Ok(())
}
