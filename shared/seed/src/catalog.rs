//! Products, variants, prices and reviews.

use std::time::Duration;

use common::id::{CategoryId, ChannelId, ProductId, ReviewId, UserId, VariantId};
use common::{Currency, Money, Timestamp};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::words::{BLAME, BRANDS, COLOURS, MATERIALS, MIXED, NOUNS, PRAISE, SIZES, Word};
use crate::{PRESENT, World, image_url, popular};

const DAY: Duration = Duration::from_secs(86_400);
/// The product with 250 variants, and the one that the eu channel does not show.
const MANY_VARIANTS: u32 = 7;
const HIDDEN: u32 = 11;

/// The departments above the categories: slug and name.
pub const DEPARTMENTS: [(&str, &str); 4] =
    [("home", "Home"), ("kitchen", "Kitchen"), ("wear", "Wear"), ("outdoors-desk", "Outdoors & Desk")];

/// The categories: slug, name, the typical price in US cents, and the share of products that are taxed less.
pub const CATEGORIES: [(&str, &str, f64); 12] = [
    ("furniture", "Furniture", 42_000.0),
    ("lighting", "Lighting", 11_000.0),
    ("textiles", "Textiles", 6_500.0),
    ("cookware", "Cookware", 5_500.0),
    ("tableware", "Tableware", 2_400.0),
    ("coffee-tea", "Coffee & Tea", 3_600.0),
    ("clothing", "Clothing", 8_200.0),
    ("shoes", "Shoes", 9_800.0),
    ("bags", "Bags", 8_800.0),
    ("camping", "Camping", 7_200.0),
    ("garden", "Garden", 3_900.0),
    ("stationery", "Stationery", 1_900.0),
];

/// The currencies of the shop, each with how many of its minor units a US cent is worth, in thousandths.
pub const CURRENCIES: [(Currency, i64); 4] =
    [(Currency::USD, 1_000), (Currency::EUR, 920), (Currency::JPY, 1_500), (Currency::KWD, 3_070)];

/// A sales channel.
pub struct SeedChannel {
    pub code: &'static str,
    pub default_currency: Currency,
    pub currencies: &'static [Currency],
    pub locales: &'static [&'static str],
    pub countries: &'static [&'static str],
    pub prices_include_tax: bool,
}

/// The sales channels.
pub const CHANNELS: [SeedChannel; 4] = [
    SeedChannel {
        code: "us",
        default_currency: Currency::USD,
        currencies: &[Currency::USD],
        locales: &["en"],
        countries: &["US", "CA"],
        prices_include_tax: false,
    },
    SeedChannel {
        code: "eu",
        default_currency: Currency::EUR,
        currencies: &[Currency::EUR],
        locales: &["en", "de"],
        countries: &["DE", "FR", "AT", "NL", "IT", "ES"],
        prices_include_tax: true,
    },
    SeedChannel {
        code: "jp",
        default_currency: Currency::JPY,
        currencies: &[Currency::JPY],
        locales: &["en"],
        countries: &["JP"],
        prices_include_tax: true,
    },
    SeedChannel {
        code: "kw",
        default_currency: Currency::KWD,
        currencies: &[Currency::KWD, Currency::USD],
        locales: &["en", "ar"],
        countries: &["KW"],
        prices_include_tax: false,
    },
];

/// A product.
#[derive(Debug, Clone)]
pub struct SeedProduct {
    pub number: u32,
    pub id: ProductId,
    pub slug: String,
    pub brand: &'static str,
    /// Place in [`CATEGORIES`].
    pub category: usize,
    /// Locale, title, description in HTML.
    pub texts: Vec<(&'static str, String, String)>,
    /// Key, label, value.
    pub attributes: Vec<(&'static str, &'static str, String)>,
    pub image_url: String,
    pub hidden_in: Vec<&'static str>,
    pub created_at: Timestamp,
    pub variants: Vec<SeedVariant>,
}

/// A variant.
#[derive(Debug, Clone)]
pub struct SeedVariant {
    pub id: VariantId,
    pub sku: String,
    pub title: String,
    pub options: Vec<(&'static str, &'static str)>,
    pub tax_class: &'static str,
    pub weight_grams: i32,
    pub prices: Vec<SeedPrice>,
}

/// What a variant costs in one currency.
#[derive(Debug, Clone, Copy)]
pub struct SeedPrice {
    pub list: Money,
    pub compare_at_minor: Option<i64>,
}

/// A review.
#[derive(Debug, Clone)]
pub struct SeedReview {
    pub id: ReviewId,
    pub author: UserId,
    pub rating: i32,
    pub title: Option<String>,
    pub body: String,
    pub verified: bool,
    pub created_at: Timestamp,
}

impl World {
    /// The id of a channel, by its place in [`CHANNELS`].
    pub fn channel_id(&self, place: usize) -> ChannelId {
        self.id(place as u64, DAY * 1_000)
    }

    /// The id of a category, by its place in [`CATEGORIES`].
    pub fn category_id(&self, place: usize) -> CategoryId {
        self.id(100 + place as u64, DAY * 999)
    }

    /// The id of a department, by its place in [`DEPARTMENTS`].
    pub fn department_id(&self, place: usize) -> CategoryId {
        self.id(place as u64, DAY * 1_000)
    }

    /// The category of a product.
    pub fn category_of(&self, product: u32) -> usize {
        product as usize % CATEGORIES.len()
    }

    fn product_age(&self, product: u32) -> Duration {
        // Made one by one over two years, the last one an hour ago.
        let step = DAY.as_secs() * 730 / u64::from(self.products.max(1));
        Duration::from_secs(3_600 + step * u64::from(self.products.saturating_sub(product + 1)))
    }

    /// The id of a product.
    pub fn product_id(&self, product: u32) -> ProductId {
        self.id(u64::from(product), self.product_age(product))
    }

    /// The id of a product's variant.
    pub fn variant_id(&self, product: u32, variant: u32) -> VariantId {
        self.id(u64::from(product) << 32 | u64::from(variant), self.product_age(product))
    }

    /// How many variants a product has.
    pub fn variant_count(&self, product: u32) -> u32 {
        if product == MANY_VARIANTS {
            return 250;
        }
        self.chance("variants", product.into()).random_range(2..=6)
    }

    /// What a variant costs in a currency.
    pub fn price(&self, product: u32, variant: u32, currency: Currency) -> SeedPrice {
        let mut chance = self.chance("price", product.into());
        let typical = CATEGORIES[self.category_of(product)].2;
        // Log-normal: e to the power of a sum of uniforms, which is nearly normal.
        let normal: f64 = (0..4).map(|_| chance.random::<f64>() - 0.5).sum::<f64>();
        let cents = (typical * normal.exp()) as i64 + i64::from(variant % 5) * 300;
        let lowered = chance.random_bool(0.15);
        let rate = CURRENCIES.iter().find(|(known, _)| *known == currency).map_or(1_000, |(_, rate)| *rate);
        let list = charming(cents * rate / 1_000, currency);
        let before = lowered.then(|| charming(cents * rate / 1_000 * 5 / 4, currency));
        SeedPrice { list: Money::new(list, currency), compare_at_minor: before }
    }

    /// What a product is called by: brand, material, noun.
    fn name(&self, number: u32) -> (&'static str, &'static Word, &'static Word) {
        let mut chance = self.chance("name", number.into());
        let nouns = &NOUNS[self.category_of(number)];
        (
            BRANDS[chance.random_range(0..BRANDS.len())],
            &MATERIALS[chance.random_range(0..MATERIALS.len())],
            &nouns[chance.random_range(0..nouns.len())],
        )
    }

    /// The English title of a product, and one of its variants without prices: what an order line needs.
    pub(crate) fn product_and_variant(&self, product: u32, variant: u32) -> (String, SeedVariant) {
        let (brand, material, noun) = self.name(product);
        let variant = self.variant_without_prices(product, variant, brand, "standard", 0);
        (format!("{brand} {} {}", material.en, noun.en), variant)
    }

    /// A product with its variants.
    pub fn product(&self, number: u32) -> SeedProduct {
        let mut chance = self.chance("product", number.into());
        let category = self.category_of(number);
        let (brand, material, noun) = self.name(number);
        let title = format!("{brand} {} {}", material.en, noun.en);
        let created_at = PRESENT.minus(self.product_age(number));
        let tax_class = if chance.random_bool(0.1) { "reduced" } else { "standard" };
        let weight_grams = chance.random_range(80..4_000);
        SeedProduct {
            number,
            id: self.product_id(number),
            slug: format!("{}-{number}", slug(&title)),
            brand,
            category,
            texts: vec![
                ("en", title, describe_en(material.en, noun.en, brand)),
                (
                    "de",
                    format!("{brand} {}-{}", material.de, noun.de),
                    format!("<p>{} aus {}, gemacht von {brand}.</p>", noun.de, material.de),
                ),
                (
                    "ar",
                    format!("{} {} {brand}", noun.ar, material.ar),
                    format!("<p>{} من {}.</p>", noun.ar, material.ar),
                ),
            ],
            attributes: vec![
                ("material", "Material", material.en.to_owned()),
                (
                    "origin",
                    "Made in",
                    ["Portugal", "Japan", "Germany", "Türkiye"][chance.random_range(0..4)].to_owned(),
                ),
                (
                    "care",
                    "Care",
                    ["Wipe clean", "Hand wash", "Machine wash"][chance.random_range(0..3)].to_owned(),
                ),
            ],
            image_url: image_url(category, number),
            hidden_in: if number == HIDDEN { vec!["eu"] } else { Vec::new() },
            created_at,
            variants: (0..self.variant_count(number))
                .map(|variant| self.variant(number, variant, brand, tax_class, weight_grams))
                .collect(),
        }
    }

    fn variant(
        &self,
        product: u32,
        variant: u32,
        brand: &str,
        tax_class: &'static str,
        weight_grams: i32,
    ) -> SeedVariant {
        let prices = CURRENCIES.iter().map(|(currency, _)| self.price(product, variant, *currency)).collect();
        SeedVariant {
            prices,
            ..self.variant_without_prices(product, variant, brand, tax_class, weight_grams)
        }
    }

    fn variant_without_prices(
        &self,
        product: u32,
        variant: u32,
        brand: &str,
        tax_class: &'static str,
        weight_grams: i32,
    ) -> SeedVariant {
        let sized = matches!(self.category_of(product), 6 | 7) || product == MANY_VARIANTS;
        let mut chance = self.chance("options", product.into());
        let first = chance.random_range(0..COLOURS.len());
        let sizes = if product == MANY_VARIANTS { 10 } else { 3 };
        let (colour, size) = if sized { (variant / sizes, variant % sizes) } else { (variant, 0) };
        let colour = COLOURS[(first + colour as usize) % COLOURS.len()];
        let mut options = vec![("Colour", colour)];
        if sized {
            options.push(("Size", SIZES[size as usize]));
        }
        let title = options.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(" / ");
        let letters: String = brand.chars().filter(char::is_ascii_alphabetic).take(3).collect();
        SeedVariant {
            id: self.variant_id(product, variant),
            sku: format!("{}-{product:05}-{variant:03}", letters.to_ascii_uppercase()),
            title,
            options,
            tax_class,
            weight_grams,
            prices: Vec::new(),
        }
    }

    /// The reviews of a product: many of few, few of most.
    pub fn reviews(&self, product: u32) -> Vec<SeedReview> {
        let mut chance = self.chance("reviews", product.into());
        let count = popular(&mut chance, 60).min(self.users / 2);
        let first = chance.random_range(0..self.users.max(1));
        (0..count).map(|place| self.review(&mut chance, product, place, first)).collect()
    }

    fn review(&self, chance: &mut ChaCha8Rng, product: u32, place: u32, first: u32) -> SeedReview {
        let rating = [5, 5, 5, 4, 4, 3, 2, 1][popular(chance, 8) as usize];
        let words: &[&str] = match rating {
            4.. => &PRAISE,
            3 => &MIXED,
            _ => &BLAME,
        };
        let age =
            Duration::from_secs(chance.random_range(3_600..self.product_age(product).as_secs().max(7_200)));
        SeedReview {
            id: self.id(u64::from(product) << 32 | u64::from(place), age),
            // A stride that is coprime with most sizes: no author twice.
            author: self.user_id((first + place) % self.users.max(1)),
            rating,
            title: chance
                .random_bool(0.5)
                .then(|| words[chance.random_range(0..words.len())].trim_end_matches('.').to_owned()),
            body: words[chance.random_range(0..words.len())].to_owned(),
            verified: chance.random_bool(0.7),
            created_at: PRESENT.minus(age),
        }
    }
}

/// A price that ends as prices do: 19.99, 1,990 yen, 5.990 dinar.
fn charming(minor: i64, currency: Currency) -> i64 {
    match currency.digits() {
        0 => (minor / 100).max(1) * 100 - 10,
        3 => (minor / 1_000).max(1) * 1_000 - 10,
        _ => (minor / 100).max(1) * 100 - 1,
    }
}

fn describe_en(material: &str, noun: &str, brand: &str) -> String {
    format!(
        "<p>A {} in {}, made by {brand} to be used every day.</p><ul><li>Made to last</li><li>Easy to care for</li>\
         <li>Packed without plastic</li></ul>",
        noun.to_lowercase(),
        material.to_lowercase()
    )
}

fn slug(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for character in title.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_row_is_the_same_every_time() {
        assert_eq!(World::DEMO.product(5).id, World::DEMO.product(5).id);
        assert_eq!(World::DEMO.product(5).variants[0].id, World::DEMO.variant_id(5, 0));
        assert_eq!(
            World::DEMO.product(5).variants[1].prices[0].list,
            World::DEMO.price(5, 1, Currency::USD).list
        );
    }

    #[test]
    fn slugs_and_stock_keeping_units_are_unique() {
        let (mut slugs, mut skus, mut variants) = (HashSet::new(), HashSet::new(), 0);
        for number in 0..World::DEMO.products {
            let product = World::DEMO.product(number);
            assert!(slugs.insert(product.slug.clone()), "{}", product.slug);
            for variant in &product.variants {
                assert!(skus.insert(variant.sku.clone()), "{}", variant.sku);
            }
            variants += product.variants.len();
        }
        assert!((4_000..4_600).contains(&variants), "{variants}");
    }

    #[test]
    fn nobody_reviews_a_product_twice() {
        for number in 0..100 {
            let authors: Vec<_> =
                World::DEMO.reviews(number).into_iter().map(|review| review.author).collect();
            assert_eq!(authors.iter().collect::<HashSet<_>>().len(), authors.len());
        }
    }
}
