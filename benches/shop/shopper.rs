//! A guest who buys one thing.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::client::{Connection, Operation};

/// The mutations from an empty cart to an order.
pub struct Shopper {
    pub create: Operation,
    pub add: Operation,
    buyer: Operation,
    address: Operation,
    delivery: Operation,
    checkout: Operation,
    progress: Operation,
}

/// Where everything goes.
pub fn address() -> Value {
    json!({
        "recipient": "Ada Lovelace", "line1": "12 Analytical Way", "city": "Portland", "region": "OR",
        "postalCode": "97201", "countryCode": "US",
    })
}

/// An idempotency key that nobody has used: of this process and this call.
pub fn key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let began = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    format!("bench-{began:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Shopper {
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self {
            create: Operation::read("06_cart_add", "CartCreate")?,
            add: Operation::read("06_cart_add", "CartAdd")?,
            buyer: Operation::read("17_guest_checkout", "GuestBuyer")?,
            address: Operation::read("17_guest_checkout", "GuestAddress")?,
            delivery: Operation::read("10_address_delivery", "CartDelivery")?,
            checkout: Operation::read("17_guest_checkout", "GuestCheckout")?,
            progress: Operation::read("11_checkout", "Attempt")?,
        })
    }

    /// An empty cart's id.
    pub async fn cart(&self, connection: &mut Connection) -> anyhow::Result<String> {
        let input = json!({ "countryCode": "US", "currency": "USD", "idempotencyKey": key() });
        let answer = connection.ask(&self.create, json!({ "i": input })).await?;
        text(&answer, "/data/cartCreate/cart/id")
    }

    /// The variables of an add.
    pub fn line(cart: &str, variant: &str) -> Value {
        let lines = [json!({ "variantId": variant, "quantity": 1 })];
        json!({ "i": { "cartId": cart, "lines": lines, "idempotencyKey": key() } })
    }

    /// Everything from the empty cart to the order; returns its number.
    pub async fn buy(&self, connection: &mut Connection, variant: &str) -> anyhow::Result<String> {
        let cart = self.cart(connection).await?;
        connection.ask(&self.add, Self::line(&cart, variant)).await?;
        let buyer = json!({ "cartId": cart, "email": "ada@example.com" });
        connection.ask(&self.buyer, json!({ "i": buyer })).await?;
        let input = json!({ "cartId": cart, "address": address() });
        let answer = connection.ask(&self.address, json!({ "i": input })).await?;
        let option = text(&answer, "/data/cartAddressSet/cart/deliveryOptions/0/id")?;
        let input = json!({ "cartId": cart, "deliveryOptionId": option });
        let answer = connection.ask(&self.delivery, json!({ "i": input })).await?;
        let quoted = answer.pointer("/data/cartDeliverySelect/cart").context("a cart")?;
        let input = json!({
            "cartId": cart,
            "cartVersion": quoted["version"],
            "expectedTotal": quoted["cost"]["total"],
            "paymentMethodToken": "tok_approve",
            "idempotencyKey": key(),
        });
        let answer = connection.ask(&self.checkout, json!({ "i": input })).await?;
        self.order(connection, &answer).await
    }

    async fn order(&self, connection: &mut Connection, answer: &Value) -> anyhow::Result<String> {
        let number = "/data/checkoutComplete/attempt/outcome/order/number";
        if let Ok(number) = text(answer, number) {
            return Ok(number);
        }
        let id = text(answer, "/data/checkoutComplete/attempt/id")?;
        for _ in 0..100 {
            let answer = connection.ask(&self.progress, json!({ "id": id })).await?;
            if let Ok(number) = text(&answer, "/data/checkoutAttempt/outcome/order/number") {
                return Ok(number);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        bail!("the checkout comes to no end: {answer}")
    }
}

/// A text of an answer.
pub fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no {pointer} in {answer}"))
}
