//! Shoppers who go on whatever happens to the shop, and who write down what they were answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::client::{Answer, Client, number, text};
use crate::operations::{ADDRESS_DELIVERY, CART_ADD, GUEST, HOME, LOG_IN, PDP, PLP, SUGGEST};
use crate::shopper::address;
use crate::stage::{Good, Stage};
use crate::template::WORLD;
use crate::visitor::Visitor;

/// Shoppers at a time.
const SHOPPERS: u32 = 3;
/// Between two things that a shopper does.
const PAUSE: Duration = Duration::from_millis(20);

/// How something that was asked for went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As on any day.
    Whole,
    /// There was an answer, with coded errors in it, or one that says that it could be better.
    Partial(String),
    /// A coded error, or a refusal of the business.
    Refused(String),
    /// A checkout that is still under way when the answer comes.
    Pending,
}

/// What shoppers do.
pub const DEEDS: [&str; 9] = [
    "home",
    "listing",
    "text search",
    "suggestions",
    "product page",
    "checkout",
    "log-in",
    "account by token",
    "account by cookie",
];

/// Who was told what, by what they did.
#[derive(Debug, Default, Clone)]
pub struct Told {
    pub outcomes: BTreeMap<&'static str, BTreeMap<Outcome, usize>>,
    /// How long they waited, by what they did.
    pub waits: BTreeMap<&'static str, Vec<Duration>>,
    /// Numbers of orders that were confirmed to their buyers.
    pub confirmed: BTreeSet<String>,
    /// Attempts that were under way when their buyers were answered.
    pub pending: BTreeSet<String>,
}

/// Whom the provider of identities knows.
#[derive(Clone)]
pub struct Known {
    pub token: String,
    pub browser: Visitor,
    pub email: String,
}

/// Shoppers at a gateway.
pub struct Load {
    home: Arc<AtomicBool>,
    told: Arc<Mutex<Told>>,
    shoppers: JoinSet<anyhow::Result<()>>,
}

impl Load {
    /// They begin.
    pub fn begin(stage: &Arc<Stage>, known: &Known, goods: &[Good]) -> Self {
        let (home, told, mut shoppers) = (Arc::default(), Arc::default(), JoinSet::new());
        for number in 0..SHOPPERS {
            let shopper = Shopper {
                stage: Arc::clone(stage),
                known: known.clone(),
                goods: goods.to_vec(),
                home: Arc::clone(&home),
                told: Arc::clone(&told),
            };
            shoppers.spawn(shopper.shop(number));
        }
        Self { home, told, shoppers }
    }

    /// Waits until each has done everything `times` more, or `least` has passed, whichever is later.
    pub async fn go_on(&mut self, times: usize, least: Duration) -> anyhow::Result<Told> {
        let begun = tokio::time::Instant::now();
        *self.told.lock().await = Told::default();
        loop {
            if let Some(ended) = self.shoppers.try_join_next() {
                ended??;
                anyhow::bail!("a shopper went home early");
            }
            let told = self.told.lock().await;
            let done = |deed: &&str| told.outcomes.get(*deed).map_or(0, |all| all.values().sum::<usize>());
            if begun.elapsed() >= least && DEEDS.iter().all(|deed| done(deed) >= times * SHOPPERS as usize) {
                return Ok(told.clone());
            }
            drop(told);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends them home.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.home.store(true, Ordering::Release);
        while let Some(shopper) = self.shoppers.join_next().await {
            shopper??;
        }
        Ok(())
    }
}

struct Shopper {
    stage: Arc<Stage>,
    known: Known,
    goods: Vec<Good>,
    home: Arc<AtomicBool>,
    told: Arc<Mutex<Told>>,
}

impl Shopper {
    async fn shop(mut self, mut number: u32) -> anyhow::Result<()> {
        while !self.home.load(Ordering::Acquire) {
            for deed in DEEDS {
                let begun = tokio::time::Instant::now();
                let outcome = self.does(deed, number).await.with_context(|| deed.to_owned())?;
                let waited = begun.elapsed();
                let mut told = self.told.lock().await;
                *told.outcomes.entry(deed).or_default().entry(outcome).or_default() += 1;
                told.waits.entry(deed).or_default().push(waited);
                drop(told);
                tokio::time::sleep(PAUSE).await;
            }
            number += SHOPPERS;
        }
        Ok(())
    }

    async fn does(&mut self, deed: &str, round: u32) -> anyhow::Result<Outcome> {
        let guest = &self.stage.guest;
        let product = WORLD.product(round % WORLD.products);
        let (document, operation, variables) = match deed {
            "home" => (HOME, "Home", json!({})),
            "listing" => (PLP, "Plp", json!({})),
            "text search" => (PLP, "Plp", json!({ "q": "lamp" })),
            "suggestions" => (SUGGEST, "Suggest", json!({ "q": "lam" })),
            "product page" => (PDP, "Pdp", json!({ "slug": product.slug })),
            "checkout" => return self.checkout(round).await,
            "log-in" => {
                let user = seed::DEMO_USERS[0].email;
                let input = json!({ "i": { "email": user, "password": seed::DEMO_PASSWORD } });
                return Ok(judge(&guest.ask(LOG_IN, Some("LogIn"), input).await?)?.0);
            }
            "account by token" => {
                let known = guest.with_token(&self.known.token);
                let answer = known.ask("{ me { email } }", None, json!({})).await?;
                return self.account(&answer);
            }
            _ => {
                let page = self.known.browser.ask(&guest.base, "{ me { email } }", &[]).await?;
                let answer = Answer { status: page.status, headers: page.headers, text: page.text };
                return self.account(&answer);
            }
        };
        Ok(judge(&guest.ask(document, Some(operation), variables).await?)?.0)
    }

    fn account(&self, answer: &Answer) -> anyhow::Result<Outcome> {
        let (outcome, data) = judge(answer)?;
        if outcome == Outcome::Whole {
            ensure!(data["me"]["email"] == self.known.email.as_str(), "somebody else: {}", answer.text);
        }
        Ok(outcome)
    }

    /// From an empty cart to an order.
    async fn checkout(&self, round: u32) -> anyhow::Result<Outcome> {
        match self.bought(round).await? {
            Ok(outcome) | Err(outcome) => Ok(outcome),
        }
    }

    /// `Err` within is a step that did not go through.
    async fn bought(&self, round: u32) -> anyhow::Result<Result<Outcome, Outcome>> {
        let guest = &self.stage.guest;
        let good = &self.goods[round as usize % self.goods.len()];
        let email = format!("{}@example.com", self.stage.fresh("outage"));
        let line = json!({ "variantId": good.id, "quantity": 1 });
        let input = json!({ "lines": [line], "countryCode": "US", "currency": "USD",
            "idempotencyKey": self.stage.fresh("cart") });
        let cart = match step(guest, CART_ADD, "CartCreate", input).await? {
            Ok(created) => text(&created["cart"]["id"])?.to_owned(),
            Err(refused) => return Ok(Err(refused)),
        };
        let input = json!({ "cartId": cart, "email": email });
        if let Err(refused) = step(guest, GUEST, "GuestBuyer", input).await? {
            return Ok(Err(refused));
        }
        let input = json!({ "cartId": cart, "address": address() });
        let option = match step(guest, ADDRESS_DELIVERY, "CartAddr", input).await? {
            Ok(addressed) => addressed["cart"]["deliveryOptions"][0]["id"].clone(),
            Err(refused) => return Ok(Err(refused)),
        };
        if option.is_null() {
            return Ok(Err(Outcome::Refused("no delivery".to_owned())));
        }
        let input = json!({ "cartId": cart, "deliveryOptionId": option });
        let chosen = match step(guest, ADDRESS_DELIVERY, "CartDelivery", input).await? {
            Ok(chosen) => chosen["cart"].clone(),
            Err(refused) => return Ok(Err(refused)),
        };
        let total = number(&chosen["cost"]["total"]["amountMinor"])?;
        let input = json!({ "idempotencyKey": self.stage.fresh("checkout"), "cartId": cart,
            "cartVersion": chosen["version"], "paymentMethodToken": "tok_approve",
            "expectedTotal": { "amountMinor": total, "currency": "USD" } });
        let attempt = match step(guest, GUEST, "GuestCheckout", input).await? {
            Ok(payload) => payload["attempt"].clone(),
            Err(refused) => return Ok(Err(refused)),
        };
        let mut told = self.told.lock().await;
        Ok(Ok(match text(&attempt["state"])? {
            "CONFIRMED" => {
                told.confirmed.insert(text(&attempt["outcome"]["order"]["number"])?.to_owned());
                Outcome::Whole
            }
            "FAILED" => Outcome::Refused(text(&attempt["outcome"]["code"])?.to_owned()),
            _ => {
                told.pending.insert(text(&attempt["id"])?.to_owned());
                Outcome::Pending
            }
        }))
    }
}

/// A mutation that the next one needs. `Err` within says why there is none.
async fn step(
    client: &Client,
    document: &str,
    operation: &str,
    input: Value,
) -> anyhow::Result<Result<Value, Outcome>> {
    let answer = client.ask(document, Some(operation), json!({ "i": input })).await?;
    let (outcome, data) = judge(&answer)?;
    let payload = data.as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default();
    if let Some(code) = payload["userErrors"][0]["code"].as_str() {
        return Ok(Err(Outcome::Refused(code.to_owned())));
    }
    Ok(match outcome {
        Outcome::Refused(_) => Err(outcome),
        _ => Ok(payload),
    })
}

/// How an answer is to be taken. One that is neither whole nor coded is a fault of the shop.
fn judge(answer: &Answer) -> anyhow::Result<(Outcome, Value)> {
    let mut body = answer.json()?;
    let data = body["data"].take();
    let mut codes = BTreeSet::new();
    for error in body["errors"].as_array().into_iter().flatten() {
        let code = error["extensions"]["code"].as_str();
        codes.insert(code.with_context(|| format!("an error without a code: {}", answer.text))?.to_owned());
    }
    let degraded = body["extensions"]["search"]["degraded"] == true;
    let codes =
        codes.into_iter().chain(degraded.then(|| "degraded".to_owned())).collect::<Vec<_>>().join(" ");
    let nothing = data.as_object().is_none_or(|fields| fields.values().all(Value::is_null));
    let outcome = match (codes.is_empty(), nothing) {
        (true, false) if answer.status == 200 => Outcome::Whole,
        (false, false) => Outcome::Partial(codes),
        (false, true) => Outcome::Refused(codes),
        _ => anyhow::bail!("neither an answer nor an error: {} {}", answer.status, answer.text),
    };
    Ok((outcome, data))
}
