//! Subscriptions, over a socket and as server-sent events: those of operations 11, 12 and 15, and carts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::Flow;
use crate::client::{number, same, text};
use crate::live::{Live, TRANSPORTS, Transport};
use crate::operations::{CART_ADD, CHECKOUT, CONFIRM_ACTION, ENGAGE, ORDERS};
use crate::shopper::Cart;
use crate::stage::{Stage, eventually};

pub const FLOWS: &[Flow] = &[
    ("a checkout is followed to its end", |stage| Box::pin(progress(stage))),
    ("an order is followed when it is called off", |stage| Box::pin(order(stage))),
    ("a cart is followed while it grows", |stage| Box::pin(cart(stage))),
    ("availability is followed when few are left", |stage| Box::pin(availability(stage))),
    ("another's order cannot be followed", |stage| Box::pin(foreign(stage))),
];

/// How long a change is given to come through a subscription that may have begun after it.
const MOMENT: Duration = Duration::from_secs(3);
const TRIES: usize = 20;

async fn progress(stage: Arc<Stage>) -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let user = stage.user().await?;
        let cart = Cart::of_user(&stage, &user, &[(&stage.good()?, 1)]).await?;
        let input = cart.checkout(&stage.fresh("checkout"), "tok_action");
        let payload = user.client.done(CHECKOUT, "Checkout", input).await?;
        let id = payload["attempt"]["id"].clone();
        let mut live = Live::open(&user.client, transport, CHECKOUT, "Progress", json!({ "id": id })).await?;
        let seen = live
            .until("the wish for an action", |data| data["checkoutProgress"]["state"] == "ACTION_REQUIRED");
        let seen = seen.await.with_context(|| format!("{transport:?}"))?;
        let secret = text(&seen["checkoutProgress"]["clientAction"]["clientSecret"])?;
        let confirmed =
            user.client.data(CONFIRM_ACTION, "Confirm", json!({ "id": id, "secret": secret })).await?;
        same("the action", &confirmed["testPaymentActionComplete"], true)?;
        let end = live.until("the confirmation", |data| data["checkoutProgress"]["state"] == "CONFIRMED");
        let end = end.await.with_context(|| format!("{transport:?}"))?;
        text(&end["checkoutProgress"]["order"]["number"])?;
        ensure!(live.next().await?.is_none(), "{transport:?}: it goes on after the end");
    }
    Ok(())
}

async fn order(stage: Arc<Stage>) -> anyhow::Result<()> {
    let cancel = "mutation Cancel($i: OrderCancelInput!) { orderCancel(input: $i) { order { status } userErrors { code } } }";
    for transport in TRANSPORTS {
        let user = stage.user().await?;
        let cart = Cart::of_user(&stage, &user, &[(&stage.good()?, 1)]).await?;
        let placed = cart.buy(&stage, &user.client).await?;
        let version = eventually("the payment", || async {
            let data = user.client.data(ORDERS, "OrderDetail", json!({ "id": placed.id })).await?;
            Ok((data["order"]["payments"][0]["state"] == "CAPTURED")
                .then(|| data["order"]["version"].clone()))
        });
        version.await?;
        let mut live =
            Live::open(&user.client, transport, ORDERS, "OrderLive", json!({ "id": placed.id })).await?;
        let first = live.next().await?.context("the order as it is")?;
        same("first as it is", &first["orderUpdated"]["status"], "CONFIRMED")?;
        same("which", &first["orderUpdated"]["id"], placed.id.clone())?;
        eventually("the cancellation", || async {
            let data = user.client.data(ORDERS, "OrderDetail", json!({ "id": placed.id })).await?;
            let input = json!({ "idempotencyKey": stage.fresh("cancel"), "orderId": placed.id,
                "expectedVersion": data["order"]["version"] });
            let payload = user.client.payload(cancel, "Cancel", input).await?;
            Ok((payload["userErrors"] == json!([])).then_some(()))
        })
        .await?;
        let later = live.until("the cancellation", |data| data["orderUpdated"]["status"] == "CANCELLED");
        let later = later.await.with_context(|| format!("{transport:?}"))?;
        let version = number(&first["orderUpdated"]["version"])?;
        ensure!(number(&later["orderUpdated"]["version"])? > version, "the version stays: {later}");
    }
    Ok(())
}

async fn cart(stage: Arc<Stage>) -> anyhow::Result<()> {
    let watch = "subscription CartLive($id: ID!) { cartUpdated(id: $id) { id version totalQuantity \
        cost { total { amountMinor currency } } lines { nodes { merchandise { ... on ProductVariant { sku } } } } } }";
    for transport in TRANSPORTS {
        let good = stage.good()?;
        let cart = Cart::of(&stage, &stage.guest, &[(&good, 1)]).await?;
        let mut live =
            Live::open(&stage.guest, transport, watch, "CartLive", json!({ "id": cart.id })).await?;
        let event = changed(&mut live, || async {
            let input = json!({ "cartId": cart.id, "idempotencyKey": stage.fresh("add"),
                "lines": [{ "variantId": good.id, "quantity": 1 }] });
            stage.guest.done(CART_ADD, "CartAdd", input).await.map(drop)
        });
        let event = event.await.with_context(|| format!("{transport:?}"))?;
        let seen = &event["cartUpdated"];
        same("which", &seen["id"], cart.id.clone())?;
        let quantity = number(&seen["totalQuantity"])?;
        ensure!(quantity > 1, "nothing was added: {seen}");
        same(
            "what it comes to",
            &seen["cost"]["total"]["amountMinor"],
            good.price * quantity + (good.price * quantity * 825 + 5_000) / 10_000,
        )
        .or_else(|_| {
            same(
                "what it comes to",
                &seen["cost"]["total"]["amountMinor"],
                good.price * quantity + (good.price * quantity * 825) / 10_000,
            )
        })?;
        same("from another subgraph", &seen["lines"]["nodes"][0]["merchandise"]["sku"], good.sku.clone())?;
    }
    Ok(())
}

/// Causes a change until it is told: the subscription may begin after the first.
async fn changed<F>(live: &mut Live, mut cause: impl FnMut() -> F) -> anyhow::Result<serde_json::Value>
where
    F: Future<Output = anyhow::Result<()>>,
{
    for _ in 0..TRIES {
        cause().await?;
        if let Some(event) = live.within(MOMENT).await? {
            return event.context("the subscription ended");
        }
    }
    anyhow::bail!("no event after {TRIES} changes")
}

async fn availability(stage: Arc<Stage>) -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let good = stage.good()?;
        stage.leave(&good, 4).await?;
        let staff = stage.demo("warehouse").await?;
        let variables = json!({ "ids": [good.id] });
        let mut live = Live::open(&stage.guest, transport, ENGAGE, "Avail", variables).await?;
        let event = changed(&mut live, || async { stage.adjust(&staff, &good, 0, 1).await.map(drop) });
        let event = event.await.with_context(|| format!("{transport:?}"))?;
        same("which", &event["availabilityChanged"]["id"], good.id.clone())?;
        ensure!(number(&event["availabilityChanged"]["availability"]["quantity"])? > 4, "{event}");
        text(&event["availabilityChanged"]["availability"]["asOf"])?;
    }
    Ok(())
}

async fn foreign(stage: Arc<Stage>) -> anyhow::Result<()> {
    let (owner, other) = (stage.user().await?, stage.user().await?);
    let cart = Cart::of_user(&stage, &owner, &[(&stage.good()?, 1)]).await?;
    let placed = cart.buy(&stage, &owner.client).await?;
    for client in [&other.client, &stage.guest] {
        let variables = json!({ "id": placed.id });
        // Refused as an error: whether when it is opened or as the first event, no data comes.
        let live = Live::open(client, Transport::Events, ORDERS, "OrderLive", variables).await;
        if let Ok(mut live) = live {
            let event = live.next().await;
            let told = event
                .as_ref()
                .is_ok_and(|event| event.as_ref().is_some_and(|data| !data["orderUpdated"].is_null()));
            ensure!(!told, "another's order is told: {event:?}");
        }
    }
    Ok(())
}
