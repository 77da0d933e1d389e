//! What sending costs: by zone, weight and worth, as a table.

use common::Currency;

/// The option that free-shipping promotions pay for.
pub const STANDARD: &str = "standard";

/// Grams that the base price covers, and grams of each further step.
const STEP_GRAMS: i64 = 5_000;

/// A way to send a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOption {
    /// `standard` or `express`: the same in every cart.
    pub id: &'static str,
    /// Name in the cart's language.
    pub title: &'static str,
    /// Minor units of the cart's currency.
    pub cost_minor: i64,
    /// Working days at least.
    pub min_days: i32,
    /// Working days at the most.
    pub max_days: i32,
}

/// Prices of one currency in minor units.
struct Tariff {
    currency: Currency,
    standard: i64,
    express: i64,
    /// For every further step of weight.
    step: i64,
    /// Standard delivery at home costs nothing from here on.
    free_from: i64,
}

const TARIFFS: [Tariff; 4] = [
    Tariff { currency: Currency::USD, standard: 599, express: 1_499, step: 250, free_from: 7_500 },
    Tariff { currency: Currency::EUR, standard: 499, express: 1_299, step: 200, free_from: 6_900 },
    Tariff { currency: Currency::JPY, standard: 660, express: 1_650, step: 300, free_from: 9_000 },
    Tariff { currency: Currency::KWD, standard: 1_500, express: 4_000, step: 700, free_from: 25_000 },
];

/// Countries that goods travel to like to a neighbour, by zone.
const ZONES: [(Zone, &[&str]); 4] = [
    (Zone::NorthAmerica, &["US", "CA", "MX"]),
    (
        Zone::Europe,
        &[
            "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU",
            "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
        ],
    ),
    (Zone::Gulf, &["AE", "BH", "KW", "OM", "QA", "SA"]),
    (Zone::EastAsia, &["HK", "JP", "KR", "TW"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    NorthAmerica,
    Europe,
    Gulf,
    EastAsia,
    Elsewhere,
}

fn zone_of(country: &str) -> Zone {
    ZONES
        .iter()
        .find(|(_, countries)| countries.contains(&country))
        .map_or(Zone::Elsewhere, |(zone, _)| *zone)
}

/// Where a channel is at home: its goods leave from a store there.
fn home_of(channel: &str) -> Option<Zone> {
    match channel {
        "us" => Some(Zone::NorthAmerica),
        "eu" => Some(Zone::Europe),
        "jp" => Some(Zone::EastAsia),
        "kw" => Some(Zone::Gulf),
        _ => None,
    }
}

/// What is sent where.
#[derive(Debug)]
pub struct Parcel<'a> {
    pub channel: &'a str,
    pub country: &'a str,
    pub currency: Currency,
    /// Minor units, before discounts.
    pub worth_minor: i64,
    pub weight_grams: i64,
}

/// The ways to send a parcel, named in the language; none in an unknown currency.
pub fn options(parcel: &Parcel<'_>, locale: &str) -> Vec<DeliveryOption> {
    let Some(tariff) = TARIFFS.iter().find(|tariff| tariff.currency == parcel.currency) else {
        return Vec::new();
    };
    let at_home = home_of(parcel.channel) == Some(zone_of(parcel.country));
    let steps = (parcel.weight_grams.max(1) - 1) / STEP_GRAMS;
    let cost = |base: i64| {
        let near = base + steps * tariff.step;
        if at_home { near } else { near * 3 }
    };
    let standard = if at_home && parcel.worth_minor >= tariff.free_from { 0 } else { cost(tariff.standard) };
    let (standard_days, express_days) = if at_home { ((3, 5), (1, 2)) } else { ((7, 14), (3, 5)) };
    let [standard_title, express_title] = titles(locale);
    vec![
        DeliveryOption {
            id: STANDARD,
            title: standard_title,
            cost_minor: standard,
            min_days: standard_days.0,
            max_days: standard_days.1,
        },
        DeliveryOption {
            id: "express",
            title: express_title,
            cost_minor: cost(tariff.express),
            min_days: express_days.0,
            max_days: express_days.1,
        },
    ]
}

fn titles(locale: &str) -> [&'static str; 2] {
    match locale.split('-').next() {
        Some("de") => ["Standardversand", "Expressversand"],
        Some("ar") => ["شحن عادي", "شحن سريع"],
        _ => ["Standard delivery", "Express delivery"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_follow_zone_worth_and_weight() {
        for (channel, currency, country, worth_minor, weight_grams, expected) in [
            ("us", Currency::USD, "US", 1_000, 500, [599, 1_499]),
            ("us", Currency::USD, "US", 1_000, 5_000, [599, 1_499]),
            ("us", Currency::USD, "US", 1_000, 5_001, [849, 1_749]),
            ("us", Currency::USD, "US", 7_500, 500, [0, 1_499]),
            ("us", Currency::USD, "DE", 7_500, 500, [1_797, 4_497]),
            ("eu", Currency::EUR, "DE", 6_899, 500, [499, 1_299]),
            ("eu", Currency::EUR, "FR", 6_900, 500, [0, 1_299]),
            ("jp", Currency::JPY, "JP", 100, 0, [660, 1_650]),
            ("kw", Currency::KWD, "KW", 100, 11_000, [2_900, 5_400]),
            ("kw", Currency::USD, "KW", 100, 100, [599, 1_499]),
        ] {
            let parcel = Parcel { channel, country, currency, worth_minor, weight_grams };
            let costs: Vec<i64> = options(&parcel, "en").iter().map(|option| option.cost_minor).collect();
            assert_eq!(costs, expected, "{parcel:?}");
        }
    }

    #[test]
    fn nothing_is_sent_in_a_currency_without_a_tariff() {
        let currency = "GBP".parse().unwrap();
        let parcel = Parcel { channel: "eu", country: "GB", currency, worth_minor: 1, weight_grams: 1 };
        assert!(options(&parcel, "en").is_empty());
    }
}
