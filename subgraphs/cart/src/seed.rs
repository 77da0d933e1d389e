//! Fills the carts' tables with the seeded world: an offer for every variant, promotions that overlap, what is known of
//! the users, and wish lists of the demo users.

use std::collections::BTreeMap;
use std::time::Duration;

use ::seed::{DEMO_USERS, PRESENT, SeedProduct, World};
use common::id::{PromotionId, WishlistId};
use common::{Currency, Fault, Id};
use database::Tx;
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::{Effect, Offer, OfferDetails, Promotion, TaxClass, Terms};
use crate::entity::{offer, promotion, shopper, wishlist, wishlist_item};
use crate::service::title_of;

/// Categories of a department.
const CATEGORIES_OF_DEPARTMENT: usize = 3;
/// Variants on a seeded wish list.
const WISHES: u32 = 4;

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    2 + u64::from(world.products) + u64::from(world.users)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "promotions", 1, 1, progress, move |tx, _| Box::pin(write_promotions(tx, world))).await?;
    part(ports, "offers", world.products, 200, progress, move |tx, rows| {
        Box::pin(async move {
            let offers = rows.flat_map(|number| offers_of(&world, &world.product(number)));
            let rows = offers.map(|offer| offer::row(&offer)).collect::<Result<Vec<_>, Fault>>()?;
            insert(tx, rows).await
        })
    })
    .await?;
    part(ports, "shoppers", world.users, 1_000, progress, move |tx, rows| {
        Box::pin(async move {
            let shoppers = rows.map(|number| {
                let user = world.user(number);
                shopper::ActiveModel::from(shopper::Model { user_id: user.id, email: Some(user.email) })
            });
            insert(tx, shoppers.collect()).await
        })
    })
    .await?;
    part(ports, "wishlists", 1, 1, progress, move |tx, _| Box::pin(write_wishlists(tx, world))).await
}

fn offers_of(world: &World, product: &SeedProduct) -> Vec<Offer> {
    let categories = vec![
        world.category_id(product.category),
        world.department_id(product.category / CATEGORIES_OF_DEPARTMENT),
    ];
    let offer = |variant: &::seed::SeedVariant| {
        let options: Vec<&str> = variant.options.iter().map(|(_, value)| *value).collect();
        let titles =
            product.texts.iter().map(|(locale, title, _)| ((*locale).to_owned(), title_of(title, &options)));
        Offer {
            variant: variant.id,
            product: product.id,
            version: 1,
            sku: variant.sku.clone(),
            tax_class: TaxClass::parse(variant.tax_class),
            active: true,
            weight_grams: variant.weight_grams,
            details: OfferDetails {
                titles: titles.collect(),
                prices: variant.prices.iter().map(|price| (price.list.currency, price.list.minor)).collect(),
                hidden_in: product.hidden_in.iter().map(|code| (*code).to_owned()).collect(),
                categories: categories.clone(),
            },
        }
    };
    product.variants.iter().map(offer).collect()
}

/// A promotion of the seed, without its id.
struct Seeded {
    code: Option<&'static str>,
    title: &'static str,
    priority: i32,
    exclusive: bool,
    effect: Effect,
    /// Places of categories; all products where there are none.
    categories: &'static [usize],
    /// Subtotal of USD; other currencies in proportion.
    min_subtotal_usd: Option<i64>,
    usage_limit: Option<i32>,
    /// Days from the present until it begins.
    starts_in_days: u64,
}

const ANYTIME: Seeded = Seeded {
    code: None,
    title: "",
    priority: 0,
    exclusive: false,
    effect: Effect::FreeShipping,
    categories: &[],
    min_subtotal_usd: None,
    usage_limit: None,
    starts_in_days: 0,
};

fn promotions() -> Vec<Seeded> {
    let percent = |percent: i64| Effect::Percentage { basis_points: percent * 100 };
    vec![
        Seeded { title: "Autumn sale", priority: 20, effect: percent(10), categories: &[1, 4], ..ANYTIME },
        Seeded { title: "Kitchen days", priority: 10, effect: percent(5), categories: &[3, 4, 5], ..ANYTIME },
        Seeded {
            title: "Three for two",
            priority: 30,
            effect: Effect::BuyGet { buy: 2, get: 1 },
            categories: &[10],
            ..ANYTIME
        },
        Seeded { code: Some("WELCOME10"), title: "10% to welcome you", effect: percent(10), ..ANYTIME },
        Seeded {
            code: Some("SAVE5"),
            title: "5 off from 25",
            priority: 5,
            effect: Effect::Fixed { amounts: amounts(500) },
            min_subtotal_usd: Some(2_500),
            ..ANYTIME
        },
        Seeded { code: Some("FREESHIP"), title: "Free standard delivery", ..ANYTIME },
        Seeded {
            code: Some("VIP25"),
            title: "25% for our best customers",
            exclusive: true,
            effect: percent(25),
            ..ANYTIME
        },
        Seeded {
            code: Some("FIRST100"),
            title: "15% for the first hundred",
            effect: percent(15),
            usage_limit: Some(100),
            ..ANYTIME
        },
        Seeded {
            code: Some("NEXTYEAR"),
            title: "30% next year",
            effect: percent(30),
            starts_in_days: 365 * 20,
            ..ANYTIME
        },
    ]
}

/// An amount of USD in all currencies, roughly.
fn amounts(usd: i64) -> BTreeMap<Currency, i64> {
    BTreeMap::from([
        (Currency::USD, usd),
        (Currency::EUR, usd),
        (Currency::JPY, usd * 3 / 2),
        (Currency::KWD, usd * 3),
    ])
}

async fn write_promotions(tx: &Tx, world: World) -> Result<(), Fault> {
    let mut rows = Vec::new();
    for (place, seeded) in (0u64..).zip(promotions()) {
        let starts_at = match seeded.starts_in_days {
            0 => PRESENT.minus(Duration::from_secs(30 * 86_400)),
            days => PRESENT.plus(Duration::from_secs(days * 86_400)),
        };
        rows.push(promotion::row(&Promotion {
            id: PromotionId::stable(PRESENT.millis().unsigned_abs(), stamp(world.seed, place)),
            code: seeded.code.map(str::to_owned),
            priority: seeded.priority,
            exclusive: seeded.exclusive,
            starts_at,
            ends_at: None,
            usage_limit: seeded.usage_limit,
            used: 0,
            terms: Terms {
                titles: BTreeMap::from([("en".to_owned(), seeded.title.to_owned())]),
                effect: seeded.effect,
                min_subtotal: seeded.min_subtotal_usd.map(amounts).unwrap_or_default(),
                categories: seeded.categories.iter().map(|place| world.category_id(*place)).collect(),
                products: Vec::new(),
            },
        })?);
    }
    insert(tx, rows).await
}

async fn write_wishlists(tx: &Tx, world: World) -> Result<(), Fault> {
    let (mut lists, mut items) = (Vec::new(), Vec::new());
    for number in (0u32..).take(DEMO_USERS.len()).take_while(|number| *number < world.users) {
        let id: WishlistId =
            Id::stable(PRESENT.millis().unsigned_abs(), stamp(world.seed, u64::from(number)));
        lists.push(wishlist::ActiveModel::from(wishlist::Model {
            id,
            owner_id: world.user_id(number),
            name: "Wish list".to_owned(),
            share_token: None,
            created_at: PRESENT,
        }));
        for wish in (0..WISHES).take_while(|wish| *wish < world.products) {
            let product = (number * 7 + wish * 3) % world.products;
            items.push(wishlist_item::Model {
                wishlist_id: id,
                variant_id: world.variant_id(product, 0),
                added_at: PRESENT.plus(Duration::from_millis(wish.into())),
            });
        }
    }
    items.sort_by_key(|item| (item.wishlist_id, item.variant_id));
    items.dedup_by_key(|item| (item.wishlist_id, item.variant_id));
    insert(tx, lists).await?;
    insert(tx, items.into_iter().map(wishlist_item::ActiveModel::from).collect()).await
}

/// The random part of an id that stays the same for ever.
fn stamp(seed: u64, place: u64) -> [u8; 10] {
    let mut bytes = [0u8; 10];
    bytes[..8].copy_from_slice(&(seed.rotate_left(32) ^ place).to_be_bytes());
    bytes
}
