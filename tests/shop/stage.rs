//! What a flow plays on: a shop that runs, and things in it that no other flow touches.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use common::Currency;
use seed::{DEMO_PASSWORD, DEMO_USERS, LOCATIONS};
use serde_json::{Value, json};

use crate::client::{Client, number, text};
use crate::operations::{ADJUST, LOG_IN, REGISTER, STOCK};
use crate::template::WORLD;

/// Categories that no seeded promotion is about.
const UNPROMOTED: [usize; 7] = [0, 2, 6, 7, 8, 9, 11];
/// Products before this one are left to flows that look at the seeded world and to seeded peculiarities.
const FIRST: u32 = 24;
/// How often a change that comes by events is looked for, and for how long.
const LOOKS: u32 = 400;
const PAUSE: Duration = Duration::from_millis(100);

/// The password of every user that a flow registers.
pub const PASSWORD: &str = "correct horse battery";

/// A variant to buy: well stocked, taxed in full, in no promotion.
#[derive(Debug, Clone)]
pub struct Good {
    pub product: u32,
    pub product_id: String,
    pub slug: String,
    pub id: String,
    pub sku: String,
    /// In US cents.
    pub price: i64,
}

/// The goods of one data folder; each is handed out once.
pub struct Goods {
    goods: Vec<Good>,
    next: AtomicUsize,
    names: AtomicUsize,
}

/// A running shop.
#[derive(Clone)]
pub struct Stage {
    /// A guest.
    pub guest: Client,
    /// The data folder.
    pub data: PathBuf,
    /// The subgraphs' processes, where they are processes: name and base address.
    pub subgraphs: Vec<(&'static str, String)>,
    pub goods: Arc<Goods>,
}

/// A registered user who is logged in.
pub struct User {
    pub client: Client,
    pub id: String,
    pub email: String,
    pub refresh_token: String,
}

impl Goods {
    /// All that the seeded world has.
    pub fn new() -> Self {
        let products = (FIRST..WORLD.products).map(|number| WORLD.product(number));
        let goods = products.filter(|product| UNPROMOTED.contains(&product.category)).flat_map(|product| {
            (0..).zip(product.variants.clone()).filter_map(move |(place, variant)| {
                let stocked = WORLD.stock(product.number, place).on_hand.len() == LOCATIONS.len();
                (stocked && variant.tax_class == "standard").then(|| Good {
                    product: product.number,
                    product_id: product.id.to_string(),
                    slug: product.slug.clone(),
                    id: variant.id.to_string(),
                    sku: variant.sku,
                    price: WORLD.price(product.number, place, Currency::USD).list.minor,
                })
            })
        });
        Self { goods: goods.collect(), next: AtomicUsize::new(0), names: AtomicUsize::new(0) }
    }
}

impl Stage {
    /// A variant that no other flow gets.
    pub fn good(&self) -> anyhow::Result<Good> {
        let place = self.goods.next.fetch_add(1, Ordering::Relaxed);
        self.goods.goods.get(place).cloned().context("the seeded world has too few goods for all flows")
    }

    /// Variants of different products that no other flow gets.
    pub fn goods_of_different_products(&self, count: usize) -> anyhow::Result<Vec<Good>> {
        let mut goods: Vec<Good> = Vec::new();
        while goods.len() < count {
            let good = self.good()?;
            if goods.iter().all(|other| other.product != good.product) {
                goods.push(good);
            }
        }
        Ok(goods)
    }

    /// A word that is used once: for keys, addresses and the like.
    pub fn fresh(&self, what: &str) -> String {
        format!("test-{what}-{}", self.goods.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Registers somebody and logs them in.
    pub async fn user(&self) -> anyhow::Result<User> {
        let email = format!("{}@example.com", self.fresh("buyer"));
        let input = json!({ "email": email, "password": PASSWORD });
        let registered = self.guest.done(REGISTER, "Register", input).await?;
        ensure!(registered["user"]["email"] == email.as_str(), "registered: {registered}");
        let user = self.log_in(&email, PASSWORD).await?;
        ensure!(registered["user"]["id"] == user.id.as_str(), "another id after the log-in");
        Ok(user)
    }

    /// A demo user by role.
    pub async fn demo(&self, role: &str) -> anyhow::Result<User> {
        let user = DEMO_USERS.iter().find(|user| user.role == role).context("no such role")?;
        self.log_in(user.email, DEMO_PASSWORD).await
    }

    /// Logs somebody in.
    pub async fn log_in(&self, email: &str, password: &str) -> anyhow::Result<User> {
        let input = json!({ "email": email, "password": password });
        let session = self.guest.done(LOG_IN, "LogIn", input).await?["result"].take();
        ensure!(session["__typename"] == "Session", "no session: {session}");
        Ok(User {
            client: self.guest.with_token(text(&session["accessToken"])?),
            id: text(&session["user"]["id"])?.to_owned(),
            email: text(&session["user"]["email"])?.to_owned(),
            refresh_token: text(&session["refreshToken"])?.to_owned(),
        })
    }

    /// How many of a variant can be promised.
    pub async fn available(&self, good: &Good) -> anyhow::Result<i64> {
        number(&self.availability(good).await?["quantity"])
    }

    /// What a shopper is told of a variant's stock.
    pub async fn availability(&self, good: &Good) -> anyhow::Result<Value> {
        let mut data = self.guest.data(STOCK, "Stock", json!({ "ids": [good.id] })).await?;
        ensure!(data["nodes"][0]["id"] == good.id.as_str(), "no such variant: {data}");
        Ok(data["nodes"][0]["availability"].take())
    }

    /// Has staff change how many of a variant lie in one place.
    pub async fn adjust(&self, staff: &User, good: &Good, place: usize, delta: i64) -> anyhow::Result<Value> {
        let input = json!({
            "idempotencyKey": self.fresh("adjust"), "variantId": good.id, "delta": delta,
            "locationId": WORLD.location_id(place).to_string(), "reason": "counted",
        });
        Ok(staff.client.done(ADJUST, "Adjust", input).await?["level"].take())
    }

    /// Has staff leave exactly so many of a variant.
    pub async fn leave(&self, good: &Good, count: i64) -> anyhow::Result<()> {
        let staff = self.demo("warehouse").await?;
        for (place, held) in WORLD.stock(good.product, self.place_of(good)?).on_hand {
            let wanted = if place == 0 { count } else { 0 };
            let level = self.adjust(&staff, good, place, wanted - i64::from(held)).await?;
            ensure!(level["onHand"] == wanted, "after counting: {level}");
        }
        ensure!(self.available(good).await? == count, "{count} should be left of {}", good.sku);
        Ok(())
    }

    fn place_of(&self, good: &Good) -> anyhow::Result<u32> {
        let found =
            (0..).zip(WORLD.product(good.product).variants).find(|(_, variant)| variant.sku == good.sku);
        Ok(found.context("the seeded world has it")?.0)
    }
}

/// Looks again and again until something that comes by events is there.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    for _ in 0..LOOKS {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    anyhow::bail!("{what} did not come")
}
