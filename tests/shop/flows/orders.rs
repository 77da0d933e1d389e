//! Orders afterwards, and what an order sets going elsewhere: operation 12.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::Flow;
use crate::client::{list, number, same, text};
use crate::operations::ORDERS;
use crate::shopper::Cart;
use crate::stage::{Stage, User, eventually};

pub const FLOWS: &[Flow] = &[
    ("my orders and one of them in detail", |stage| Box::pin(detail(stage))),
    ("another's order is null, for users and guests", |stage| Box::pin(foreign(stage))),
    ("orders come page by page, newest first", |stage| Box::pin(pages(stage))),
    ("an order is told by mail and in the account", |stage| Box::pin(mail(stage))),
    ("sales and recommendations follow an order", |stage| Box::pin(search_follows(stage))),
];

async fn detail(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let goods = stage.goods_of_different_products(2)?;
    let cart = Cart::of_user(&stage, &user, &[(&goods[0], 1), (&goods[1], 2)]).await?;
    let order = cart.buy(&stage, &user.client).await?;
    let mine = user.client.data(ORDERS, "MyOrders", json!({})).await?["me"].take();
    same("who", &mine["email"], user.email.clone())?;
    let orders = list(&mine["orders"]["nodes"])?;
    ensure!(orders.len() == 1, "{} orders", orders.len());
    same("the id", &orders[0]["id"], order.id.clone())?;
    same("the number", &orders[0]["number"], order.number.clone())?;
    same("the state", &orders[0]["status"], "CONFIRMED")?;
    same("nothing was sent", &orders[0]["fulfillmentStatus"], "UNFULFILLED")?;
    same(
        "the total",
        &orders[0]["totals"]["total"],
        json!({ "amountMinor": cart.total, "currency": "USD" }),
    )?;
    text(&orders[0]["placedAt"])?;
    let paid = eventually("the capture", || paid(&user, &order.id)).await?;
    same("the number", &paid["number"], order.number)?;
    same("what may become of it", &paid["allowedTransitions"], json!(["PROCESSING", "CANCELLED"]))?;
    let totals = &paid["totals"];
    let [subtotal, tax, shipping] =
        ["subtotal", "tax", "shipping"].map(|part| number(&totals[part]["amountMinor"]));
    let subtotal = subtotal?;
    ensure!(subtotal == goods[0].price + 2 * goods[1].price, "subtotal {subtotal}");
    ensure!(subtotal + tax? + shipping? == cart.total, "the parts do not add up: {totals}");
    for (good, count) in [(&goods[0], 1), (&goods[1], 2)] {
        let lines = list(&paid["lines"])?;
        let line = lines.iter().find(|line| line["sku"] == good.sku.as_str());
        let line = line.with_context(|| format!("{} is not in {lines:?}", good.sku))?;
        same("how many", &line["quantity"], count)?;
        same("the line's total", &line["total"]["amountMinor"], good.price * count)?;
        same("the variant", &line["variant"]["id"], good.id.clone())?;
        same("its product", &line["variant"]["product"]["slug"], good.slug.clone())?;
        text(&line["variant"]["availability"]["status"])?;
    }
    let payments = list(&paid["payments"])?;
    ensure!(payments.len() == 1, "{} payments", payments.len());
    same("all can be given back", &payments[0]["refundable"]["amountMinor"], cart.total)?;
    same("nothing was", &payments[0]["refunds"], json!([]))?;
    same("nothing was sent", &paid["fulfillments"], json!([]))?;
    same("nothing came back", &paid["returns"], json!([]))?;
    same("whose it is", &paid["customer"]["id"], user.id)
}

/// The order in detail, once its money was taken.
async fn paid(user: &User, id: &str) -> anyhow::Result<Option<Value>> {
    let mut data = user.client.data(ORDERS, "OrderDetail", json!({ "id": id })).await?;
    let payment = &data["order"]["payments"][0];
    let taken = payment["state"] == "CAPTURED"
        && payment["captured"] == json!({ "amountMinor": data["order"]["totals"]["total"]["amountMinor"] });
    Ok(taken.then(|| data["order"].take()))
}

async fn foreign(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (owner, other) = (stage.user().await?, stage.user().await?);
    let cart = Cart::of_user(&stage, &owner, &[(&stage.good()?, 1)]).await?;
    let order = cart.buy(&stage, &owner.client).await?;
    let by_number = "query ByNumber($number: String!) { order(number: $number) { id } }";
    for client in [&other.client, &stage.guest] {
        let seen = client.data(ORDERS, "OrderDetail", json!({ "id": order.id })).await?;
        same("by its id", &seen["order"], Value::Null)?;
        let seen = client.data(by_number, "ByNumber", json!({ "number": order.number })).await?;
        same("by its number", &seen["order"], Value::Null)?;
        let node = "query Node($id: ID!) { node(id: $id) { id ... on Order { number email } } }";
        let answer = client.ask(node, Some("Node"), json!({ "id": order.id })).await?.json()?;
        ensure!(answer["data"]["node"]["number"].is_null(), "as a node: {answer}");
        let attempt = "query Other($id: ID!) { checkoutAttempt(id: $id) { state } }";
        let seen = client.data(attempt, "Other", json!({ "id": order.attempt })).await?;
        same("the attempt", &seen["checkoutAttempt"], Value::Null)?;
    }
    let seen = owner.client.data(by_number, "ByNumber", json!({ "number": order.number })).await?;
    same("the owner's, by number", &seen["order"]["id"], order.id)
}

async fn pages(stage: Arc<Stage>) -> anyhow::Result<()> {
    let shopper = stage.demo("customer").await?;
    let (mut numbers, mut after, mut times) = (Vec::new(), Value::Null, Vec::new());
    loop {
        let page =
            shopper.client.data(ORDERS, "MyOrders", json!({ "after": after })).await?["me"]["orders"].take();
        for order in list(&page["nodes"])? {
            let number = text(&order["number"])?.to_owned();
            ensure!(!numbers.contains(&number), "{number} stands on two pages");
            numbers.push(number);
            times.extend(order["placedAt"].as_str().map(str::to_owned));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    ensure!(numbers.len() >= 14, "the demo shopper has {} orders", numbers.len());
    ensure!(times.is_sorted_by(|one, other| one >= other), "not the newest first: {times:?}");
    Ok(())
}

async fn mail(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let cart = Cart::of_user(&stage, &user, &[(&stage.good()?, 1)]).await?;
    let order = cart.buy(&stage, &user.client).await?;
    let folder = stage.data.join("notifications").join("mail");
    let written = eventually("a mail about the order", || async {
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(None) };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "eml") {
                let mail = std::fs::read_to_string(path)?;
                if mail.contains(&order.number) {
                    return Ok(Some(mail));
                }
            }
        }
        Ok(None)
    })
    .await?;
    ensure!(written.contains(&format!("To: <{}>", user.email)), "to whom: {written}");
    ensure!(written.contains(&format!("Subject: Order {} is confirmed", order.number)), "{written}");
    eventually("the message at the order", || async {
        let data = user.client.data(ORDERS, "OrderDetail", json!({ "id": order.id })).await?;
        let messages = list(&data["order"]["messages"])?;
        let sent = |message: &Value| {
            message["topic"] == "ORDER" && message["channel"] == "EMAIL" && message["state"] == "SENT"
        };
        Ok(messages.iter().any(sent).then_some(()))
    })
    .await?;
    let query = "query Told { me { notifications(first: 5) { nodes { topic order { number } } } } }";
    let told = user.client.data(query, "Told", json!({})).await?;
    let nodes = list(&told["me"]["notifications"]["nodes"])?;
    ensure!(
        nodes.iter().any(|one| one["order"]["number"] == order.number.as_str()),
        "the account: {nodes:?}"
    );
    Ok(())
}

async fn search_follows(stage: Arc<Stage>) -> anyhow::Result<()> {
    let insights = "query Insights($a: DateTime!, $b: DateTime!) \
        { salesInsights(from: $a, to: $b, grain: DAY) { at orders units gross { amountMinor currency } } }";
    let (staff, user) = (stage.demo("finance").await?, stage.user().await?);
    let goods = stage.goods_of_different_products(2)?;
    let cart = Cart::of_user(&stage, &user, &[(&goods[0], 40), (&goods[1], 1)]).await?;
    let sold = || async {
        let year = json!({ "a": "2026-11-01T00:00:00Z", "b": "2028-10-01T00:00:00Z" });
        let data = staff.client.data(insights, "Insights", year).await?;
        Ok::<i64, anyhow::Error>(
            list(&data["salesInsights"])?.iter().filter_map(|point| point["units"].as_i64()).sum(),
        )
    };
    let before = sold().await?;
    cart.buy(&stage, &user.client).await?;
    // Others buy meanwhile, so it may be more.
    eventually("the sale", || async { Ok((sold().await? >= before + 41).then_some(())) }).await?;
    let refused = user
        .client
        .ask(insights, Some("Insights"), json!({ "a": "2026-11-01T00:00:00Z", "b": "2026-12-01T00:00:00Z" }))
        .await?;
    ensure!(refused.refusal()?.1 == "FORBIDDEN", "a shopper reads the sales: {}", refused.text);
    let together = "query Together($slug: String!) { product(slug: $slug) \
        { recommendations(intent: COMPLEMENTARY, first: 20) { products { slug } } } }";
    eventually("what was bought together as a recommendation", || async {
        let data = stage.guest.data(together, "Together", json!({ "slug": goods[0].slug })).await?;
        let products = list(&data["product"]["recommendations"]["products"])?;
        Ok(products.iter().any(|product| product["slug"] == goods[1].slug.as_str()).then_some(()))
    })
    .await?;
    // 40 at once is more than any seeded product has sold on its own day: it is among the best sellers now.
    let best = "query Best { search(sort: BEST_SELLING, first: 24) { edges { product { slug } } } }";
    eventually("a best seller", || async {
        let data = stage.guest.data(best, "Best", json!({})).await?;
        let edges = list(&data["search"]["edges"])?;
        Ok(edges.iter().any(|edge| edge["product"]["slug"] == goods[0].slug.as_str()).then_some(()))
    })
    .await
}
