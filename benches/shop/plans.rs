//! What each operation takes: fetches, stages, SQL statements by subgraph, asked of a running shop.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::client::{Connection, Operation};
use crate::process::Process;
use crate::shopper::{Shopper, address, key, text};
use crate::world::variant;

/// Prints the table of `docs/performance.md`.
pub async fn print(binary: &Path, data: &Path) -> anyhow::Result<()> {
    let process = Process::start_with(binary, data, &[], &[("TECHPOTLI_WARM_UP", "false".into())])?;
    let mut tour = Tour { connection: Connection::open(&process.address).await? };
    println!("|Operation|Fetches|Stages|SQL cold|SQL warm|By subgraph, cold|");
    println!("|-|-|-|-|-|-|");
    tour.browse().await?;
    let shopper = Shopper::read()?;
    let guest = shopper.cart(&mut tour.connection).await?;
    tour.cart(&guest).await?;
    tour.log_in(&guest).await?;
    tour.check_out().await?;
    tour.engage().await?;
    tour.guest(&shopper).await
}

/// A shopper's whole way, each operation explained.
struct Tour {
    connection: Connection,
}

impl Tour {
    async fn browse(&mut self) -> anyhow::Result<()> {
        self.twice("01_boot", "Boot", json!({}), json!({})).await?;
        self.twice("02_home", "Home", json!({}), json!({})).await?;
        let filter = json!({ "inStockOnly": true });
        self.twice("03_plp", "Plp", json!({ "f": filter }), json!({ "f": filter })).await?;
        let found = json!({ "q": "lamp", "f": filter });
        self.twice("03_plp", "Plp", found.clone(), found).await?;
        self.twice("04_suggest", "Suggest", json!({ "q": "lea" }), json!({ "q": "lea" })).await?;
        let slug = json!({ "slug": seed::World::DEMO.product(42).slug });
        self.twice("05_pdp", "Pdp", slug.clone(), slug).await
    }

    async fn cart(&mut self, cart: &str) -> anyhow::Result<()> {
        let create = || json!({ "i": { "countryCode": "US", "currency": "USD", "idempotencyKey": key() } });
        self.twice("06_cart_add", "CartCreate", create(), create()).await?;
        let add = |place| Shopper::line(cart, &variant(place));
        self.twice("06_cart_add", "CartAdd", add(1), add(2)).await?;
        self.twice("07_cart_view", "CartView", json!({ "id": cart }), json!({ "id": cart })).await?;
        let codes = |codes: &[&str]| json!({ "i": { "cartId": cart, "codes": codes } });
        self.twice("08_codes", "Codes", codes(&["WELCOME10"]), codes(&[])).await
    }

    async fn log_in(&mut self, guest: &str) -> anyhow::Result<()> {
        let who = json!({ "email": seed::DEMO_USERS[0].email, "password": seed::DEMO_PASSWORD });
        let answer =
            self.twice_answered("09_login_merge", "Login", json!({ "i": who }), json!({ "i": who })).await?;
        self.connection.token = Some(text(&answer, "/data/sessionCreate/result/accessToken")?);
        let merge = || json!({ "i": { "guestCartId": guest, "idempotencyKey": key() } });
        self.twice("09_login_merge", "Merge", merge(), merge()).await
    }

    async fn check_out(&mut self) -> anyhow::Result<()> {
        let merged = Operation::read("07_cart_view", "CartView")?;
        let answer = self.connection.ask(&merged, json!({ "id": null })).await?;
        let cart = text(&answer, "/data/cart/id")?;
        let to = json!({ "i": { "cartId": cart, "address": address() } });
        let answer = self.twice_answered("10_address_delivery", "CartAddr", to.clone(), to).await?;
        let option = text(&answer, "/data/cartAddressSet/cart/deliveryOptions/0/id")?;
        let by = json!({ "i": { "cartId": cart, "deliveryOptionId": option } });
        let answer = self.twice_answered("10_address_delivery", "CartDelivery", by.clone(), by).await?;
        let quoted = answer.pointer("/data/cartDeliverySelect/cart").context("a cart")?;
        let input = json!({ "i": {
            "cartId": cart, "cartVersion": quoted["version"], "expectedTotal": quoted["cost"]["total"],
            "paymentMethodToken": "tok_approve", "idempotencyKey": key(),
        } });
        let answer = self.once("11_checkout", "Checkout", input).await?;
        let attempt = json!({ "id": text(&answer, "/data/checkoutComplete/attempt/id")? });
        self.twice("11_checkout", "Attempt", attempt.clone(), attempt).await?;
        let none = json!({ "after": null });
        let orders = self.twice_answered("12_orders", "MyOrders", none.clone(), none).await?;
        let order = json!({ "id": text(&orders, "/data/me/orders/nodes/0/id")? });
        self.twice("12_orders", "OrderDetail", order.clone(), order).await
    }

    async fn engage(&mut self) -> anyhow::Result<()> {
        let wish = |place| json!({ "i": { "variantId": variant(place) } });
        self.twice("15_engage", "Wish", wish(31), wish(32)).await?;
        let alert = |place| json!({ "i": { "variantId": variant(place), "email": "ada@example.com" } });
        self.twice("15_engage", "Alert", alert(33), alert(34)).await?;
        let review = |number| {
            let product = seed::World::DEMO.product_id(number).to_string();
            json!({ "i": { "productId": product, "rating": 5, "body": "It does what it says, and well." } })
        };
        self.twice("15_engage", "Review", review(601), review(602)).await
    }

    async fn guest(&mut self, shopper: &Shopper) -> anyhow::Result<()> {
        self.connection.token = None;
        let cart = shopper.cart(&mut self.connection).await?;
        self.connection.ask(&shopper.add, Shopper::line(&cart, &variant(40))).await?;
        let buyer = json!({ "i": { "cartId": cart, "email": "ada@example.com" } });
        self.twice("17_guest_checkout", "GuestBuyer", buyer.clone(), buyer).await?;
        let to = json!({ "i": { "cartId": cart, "address": address() } });
        let answer = self.twice_answered("17_guest_checkout", "GuestAddress", to.clone(), to).await?;
        let option = text(&answer, "/data/cartAddressSet/cart/deliveryOptions/0/id")?;
        let delivery = Operation::read("10_address_delivery", "CartDelivery")?;
        let by = json!({ "i": { "cartId": cart, "deliveryOptionId": option } });
        let answer = self.connection.ask(&delivery, by).await?;
        let quoted = answer.pointer("/data/cartDeliverySelect/cart").context("a cart")?;
        let input = json!({ "i": {
            "cartId": cart, "cartVersion": quoted["version"], "expectedTotal": quoted["cost"]["total"],
            "paymentMethodToken": "tok_approve", "idempotencyKey": key(),
        } });
        let answer = self.once("17_guest_checkout", "GuestCheckout", input).await?;
        let outcome = answer.pointer("/data/checkoutComplete/attempt/outcome").context("an outcome")?;
        let order = json!({ "number": outcome["order"]["number"], "token": outcome["guestToken"] });
        self.twice("17_guest_checkout", "GuestOrder", order.clone(), order).await
    }

    async fn twice(
        &mut self,
        file: &str,
        name: &'static str,
        cold: Value,
        warm: Value,
    ) -> anyhow::Result<()> {
        self.twice_answered(file, name, cold, warm).await.map(drop)
    }

    /// Prints the row of an operation and returns its second answer.
    async fn twice_answered(
        &mut self,
        file: &str,
        name: &'static str,
        cold: Value,
        warm: Value,
    ) -> anyhow::Result<Value> {
        let operation = Operation::read(file, name)?;
        let text = if cold.get("q").is_some() && name == "Plp" { " with text" } else { "" };
        let cold = self.connection.explain(&operation, cold).await?;
        let warm = self.connection.explain(&operation, warm).await?;
        row(&format!("{file} {name}{text}"), &cold, Some(&warm));
        Ok(warm)
    }

    async fn once(&mut self, file: &str, name: &'static str, variables: Value) -> anyhow::Result<Value> {
        let operation = Operation::read(file, name)?;
        let answer = self.connection.explain(&operation, variables).await?;
        row(&format!("{file} {name}"), &answer, None);
        Ok(answer)
    }
}

fn row(name: &str, cold: &Value, warm: Option<&Value>) {
    let debug = &cold["extensions"]["debug"];
    let fetches = debug["fetches"].as_array().map_or(&[][..], Vec::as_slice);
    let sql = |answer: &Value| -> u64 {
        let fetches = answer["extensions"]["debug"]["fetches"].as_array().cloned().unwrap_or_default();
        fetches.iter().filter_map(|fetch| fetch["sql"].as_u64()).sum()
    };
    let by: Vec<String> = fetches
        .iter()
        .map(|fetch| {
            format!("{} {}", fetch["subgraph"].as_str().unwrap_or("?"), fetch["sql"].as_u64().unwrap_or(0))
        })
        .collect();
    let failed = match cold.get("errors").or_else(|| warm.and_then(|warm| warm.get("errors"))) {
        Some(errors) => format!(" (errors: {errors})"),
        None => String::new(),
    };
    let warm = warm.map_or("–".to_owned(), |warm| sql(warm).to_string());
    println!("|{name}{failed}|{}|{}|{}|{warm}|{}|", fetches.len(), debug["stages"], sql(cold), by.join(", "));
}
