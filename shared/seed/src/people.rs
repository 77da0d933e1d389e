//! Users and their addresses.

use std::time::Duration;

use common::id::{AddressId, UserId};
use common::{Currency, Timestamp};
use rand::Rng as _;

use crate::words::{FIRST_NAMES, LAST_NAMES};
use crate::{PRESENT, World};

/// The password of all demo users.
pub const DEMO_PASSWORD: &str = "techpotli-demo";

/// A user whose password is known: one of each role.
pub struct DemoUser {
    pub email: &'static str,
    pub name: &'static str,
    pub role: &'static str,
}

/// The first users of every world.
pub const DEMO_USERS: [DemoUser; 6] = [
    DemoUser { email: "shopper@techpotli.dev", name: "Sam Shopper", role: "customer" },
    DemoUser { email: "support@techpotli.dev", name: "Sue Support", role: "support" },
    DemoUser { email: "catalog@techpotli.dev", name: "Cat Catalog", role: "catalog_manager" },
    DemoUser { email: "warehouse@techpotli.dev", name: "Wes Warehouse", role: "warehouse" },
    DemoUser { email: "finance@techpotli.dev", name: "Fin Finance", role: "finance" },
    DemoUser { email: "admin@techpotli.dev", name: "Ada Admin", role: "admin" },
];

const CITIES: [(&str, &str, &str, Option<&str>); 6] = [
    ("US", "Portland", "97205", Some("OR")),
    ("DE", "Hamburg", "20095", None),
    ("FR", "Lyon", "69002", None),
    ("JP", "Osaka", "530-0001", None),
    ("KW", "Kuwait City", "13001", None),
    ("US", "Austin", "78701", Some("TX")),
];

/// A user.
#[derive(Debug, Clone)]
pub struct SeedUser {
    pub number: u32,
    pub id: UserId,
    pub email: String,
    pub display_name: String,
    pub locale: &'static str,
    /// A role's name; `customer` for most.
    pub role: &'static str,
    pub address: SeedAddress,
    pub created_at: Timestamp,
}

/// An address.
#[derive(Debug, Clone)]
pub struct SeedAddress {
    pub id: AddressId,
    pub recipient: String,
    pub line1: String,
    pub city: &'static str,
    pub region: Option<&'static str>,
    pub postal_code: &'static str,
    pub country: &'static str,
}

impl SeedAddress {
    /// The channel that serves the address: its code and currency.
    pub fn channel(&self) -> (&'static str, Currency) {
        match self.country {
            "DE" | "FR" => ("eu", Currency::EUR),
            "JP" => ("jp", Currency::JPY),
            "KW" => ("kw", Currency::KWD),
            _ => ("us", Currency::USD),
        }
    }
}

impl World {
    fn user_age(&self, user: u32) -> Duration {
        Duration::from_secs(86_400 * 800 - u64::from(user) * 600 % (86_400 * 400))
    }

    /// The id of a user.
    pub fn user_id(&self, user: u32) -> UserId {
        self.id(user.into(), self.user_age(user))
    }

    /// A user with one address. The first are the demo users.
    pub fn user(&self, number: u32) -> SeedUser {
        let mut chance = self.chance("user", number.into());
        let demo = DEMO_USERS.get(number as usize);
        let first = FIRST_NAMES[chance.random_range(0..FIRST_NAMES.len())];
        let last = LAST_NAMES[chance.random_range(0..LAST_NAMES.len())];
        let display_name = demo.map_or_else(|| format!("{first} {last}"), |demo| demo.name.to_owned());
        let place = if demo.is_some() { 0 } else { chance.random_range(0..CITIES.len()) };
        let (country, city, postal_code, region) = CITIES[place];
        SeedUser {
            number,
            id: self.user_id(number),
            email: demo.map_or_else(
                || format!("{}.{}{number}@example.com", first.to_lowercase(), last.to_lowercase()),
                |demo| demo.email.to_owned(),
            ),
            locale: match country {
                "DE" => "de",
                "KW" => "ar",
                _ => "en",
            },
            role: demo.map_or("customer", |demo| demo.role),
            address: SeedAddress {
                id: self.id(number.into(), self.user_age(number)),
                recipient: display_name.clone(),
                line1: format!("{} Mill Lane", chance.random_range(1..200)),
                city,
                region,
                postal_code,
                country,
            },
            display_name,
            created_at: PRESENT.minus(self.user_age(number)),
        }
    }
}
