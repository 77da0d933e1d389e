//! A shopper's steps from an empty cart to an order, for flows that begin further on.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::client::{Client, number, text};
use crate::operations::{ADDRESS_DELIVERY, CART_ADD, CHECKOUT, GUEST};
use crate::stage::{Good, Stage, User, eventually};

/// A cart as its buyer saw it last.
#[derive(Debug, Clone)]
pub struct Cart {
    pub id: String,
    pub version: i64,
    /// In US cents.
    pub total: i64,
}

/// An order that was placed.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub number: String,
    pub attempt: String,
}

/// An address in California, where 8.25% tax is added.
pub fn address() -> Value {
    json!({ "recipient": "Ada Lovelace", "line1": "12 Analytical Way", "city": "Oakland", "region": "CA",
        "postalCode": "94607", "countryCode": "US" })
}

impl Cart {
    /// A cart with goods in it.
    pub async fn of(stage: &Stage, client: &Client, goods: &[(&Good, i64)]) -> anyhow::Result<Self> {
        let lines: Vec<Value> =
            goods.iter().map(|(good, count)| json!({ "variantId": good.id, "quantity": count })).collect();
        let input = json!({ "lines": lines, "countryCode": "US", "currency": "USD",
            "idempotencyKey": stage.fresh("cart") });
        Self::seen(&client.done(CART_ADD, "CartCreate", input).await?["cart"])
    }

    /// What an answer says of the cart.
    pub fn seen(cart: &Value) -> anyhow::Result<Self> {
        Ok(Self {
            id: text(&cart["id"])?.to_owned(),
            version: number(&cart["version"])?,
            total: number(&cart["cost"]["total"]["amountMinor"])?,
        })
    }

    /// Says where the cart goes and how; only the checkout is left.
    pub async fn ready(mut self, client: &Client) -> anyhow::Result<Self> {
        let input = json!({ "cartId": self.id, "address": address() });
        let addressed = client.done(ADDRESS_DELIVERY, "CartAddr", input).await?;
        let option = text(&addressed["cart"]["deliveryOptions"][0]["id"])?.to_owned();
        let input = json!({ "cartId": self.id, "deliveryOptionId": option });
        let chosen = client.done(ADDRESS_DELIVERY, "CartDelivery", input).await?;
        self.version = number(&chosen["cart"]["version"])?;
        self.total = number(&chosen["cart"]["cost"]["total"]["amountMinor"])?;
        Ok(self)
    }

    /// A user's cart, ready to be paid for.
    pub async fn of_user(stage: &Stage, user: &User, goods: &[(&Good, i64)]) -> anyhow::Result<Self> {
        Self::of(stage, &user.client, goods).await?.ready(&user.client).await
    }

    /// A guest's cart, ready to be paid for.
    pub async fn of_guest(stage: &Stage, email: &str, goods: &[(&Good, i64)]) -> anyhow::Result<Self> {
        let cart = Self::of(stage, &stage.guest, goods).await?;
        let input = json!({ "cartId": cart.id, "email": email });
        let named = stage.guest.done(GUEST, "GuestBuyer", input).await?;
        ensure!(named["cart"]["buyerEmail"] == email, "the buyer: {named}");
        cart.ready(&stage.guest).await
    }

    /// What a checkout of it says to the shop.
    pub fn checkout(&self, key: &str, card: &str) -> Value {
        json!({ "idempotencyKey": key, "cartId": self.id, "cartVersion": self.version, "paymentMethodToken": card,
            "expectedTotal": { "amountMinor": self.total, "currency": "USD" } })
    }

    /// Pays with a card that is good, and waits for the order.
    pub async fn buy(&self, stage: &Stage, client: &Client) -> anyhow::Result<Order> {
        let input = self.checkout(&stage.fresh("checkout"), "tok_approve");
        let payload = client.payload(CHECKOUT, "Checkout", input).await?;
        decided(client, &payload["attempt"]).await?;
        let outcome = outcome(client, text(&payload["attempt"]["id"])?).await?;
        ensure!(outcome["__typename"] == "CheckoutSucceeded", "no order: {payload}, then {outcome}");
        Ok(Order {
            id: text(&outcome["order"]["id"])?.to_owned(),
            number: text(&outcome["order"]["number"])?.to_owned(),
            attempt: text(&payload["attempt"]["id"])?.to_owned(),
        })
    }
}

/// Waits until an attempt is confirmed or has failed, and says which.
pub async fn decided(client: &Client, attempt: &Value) -> anyhow::Result<String> {
    let id = text(&attempt["id"]).with_context(|| format!("no attempt: {attempt}"))?;
    eventually("the end of a checkout", || async {
        let data = client.data(CHECKOUT, "Attempt", json!({ "id": id })).await?;
        let state = text(&data["checkoutAttempt"]["state"])?;
        Ok(matches!(state, "CONFIRMED" | "FAILED").then(|| state.to_owned()))
    })
    .await
}

/// The outcome of an attempt, with more of it than the operation asks for.
pub async fn outcome(client: &Client, attempt: &str) -> anyhow::Result<Value> {
    let query = "query Outcome($id: ID!) { checkoutAttempt(id: $id) { outcome { __typename \
        ... on CheckoutSucceeded { guestToken order { id number status } } \
        ... on CheckoutFailed { code message retryable } } } }";
    Ok(client.data(query, "Outcome", json!({ "id": attempt })).await?["checkoutAttempt"]["outcome"].take())
}
