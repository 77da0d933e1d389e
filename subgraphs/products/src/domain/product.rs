//! Products and variants as the rest of the catalogue sees them: rows with their documents read.

use std::collections::BTreeMap;

use common::id::{CategoryId, ProductId, VariantId};
use common::{Currency, Fault, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::Price;
use crate::entity::{product, variant};

/// The language that every text is there in.
const FALLBACK_LOCALE: &str = "en";
/// Longest title and slug, in characters.
const LONGEST: usize = 120;

/// Where a product is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not on sale yet.
    Draft,
    /// On sale.
    Active,
    /// Not on sale any more.
    Archived,
}

impl Status {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "DRAFT" => Ok(Self::Draft),
            "ACTIVE" => Ok(Self::Active),
            "ARCHIVED" => Ok(Self::Archived),
            other => Err(Fault::internal(format!("unknown product status {other}"))),
        }
    }
}

/// What is said of a product in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Name.
    pub title: String,
    /// Description in HTML.
    pub description_html: String,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is; relative to the gateway.
    pub url: String,
    /// What it shows.
    pub alt: Option<String>,
    /// In pixels.
    pub width: Option<i32>,
    /// In pixels.
    pub height: Option<i32>,
}

/// A property of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Name for programs.
    pub key: String,
    /// Name for people.
    pub label: String,
    /// Value.
    pub value: String,
}

/// What a product's row holds as one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// By locale; English is always there.
    pub texts: BTreeMap<String, Text>,
    /// In the order in which they are shown.
    pub images: Vec<Image>,
    /// In the order in which they are shown.
    pub attributes: Vec<Attribute>,
    /// Lowest and highest list price of the variants, by currency.
    pub price_ranges: Vec<(Money, Money)>,
    /// Lowest and highest earlier price of the variants that have one, by currency.
    pub compare_at_ranges: Vec<(Money, Money)>,
    /// Codes of the channels that do not show it.
    pub hidden_in: Vec<String>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub version: i32,
    pub slug: String,
    pub status: Status,
    pub brand: Option<String>,
    pub category_id: Option<CategoryId>,
    pub details: Details,
    pub rating_sum: i64,
    pub rating_count: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Product {
    /// The text in the language, or in the language without its region, or in English.
    pub fn text(&self, locale: &str) -> Option<&Text> {
        let texts = &self.details.texts;
        let language = locale.split('-').next().unwrap_or(locale);
        texts.get(locale).or_else(|| texts.get(language)).or_else(|| texts.get(FALLBACK_LOCALE))
    }

    /// Whether shoppers of the channel see it.
    pub fn is_visible_in(&self, channel: &str) -> bool {
        self.status == Status::Active && !self.details.hidden_in.iter().any(|hidden| hidden == channel)
    }

    /// Lowest and highest list price in the currency.
    pub fn price_range(&self, currency: Currency) -> Option<(Money, Money)> {
        range_in(&self.details.price_ranges, currency)
    }

    /// Lowest and highest earlier price in the currency.
    pub fn compare_at_range(&self, currency: Currency) -> Option<(Money, Money)> {
        range_in(&self.details.compare_at_ranges, currency)
    }

    /// The mean rating in hundredths.
    pub fn average_hundredths(&self) -> Option<i64> {
        (self.rating_count > 0).then(|| self.rating_sum * 100 / i64::from(self.rating_count))
    }
}

fn range_in(ranges: &[(Money, Money)], currency: Currency) -> Option<(Money, Money)> {
    ranges.iter().find(|(low, _)| low.currency == currency).copied()
}

impl TryFrom<product::Model> for Product {
    type Error = Fault;

    fn try_from(row: product::Model) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            version: row.version,
            slug: row.slug,
            status: Status::parse(&row.status)?,
            brand: row.brand,
            category_id: row.category_id,
            details: serde_json::from_str(&row.details).map_err(Fault::internal)?,
            rating_sum: row.rating_sum,
            rating_count: row.rating_count,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What a variant's row holds as one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantDetails {
    /// Name.
    pub title: String,
    /// Name and value, such as `Size`, `M`.
    pub options: Vec<(String, String)>,
    /// Which of the product's images shows it.
    pub image: Option<Image>,
    /// By currency.
    pub prices: Vec<Price>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub id: VariantId,
    pub product_id: ProductId,
    pub sku: String,
    pub position: i32,
    pub tax_class: String,
    pub weight_grams: Option<i32>,
    pub details: VariantDetails,
}

impl Variant {
    /// The price in the currency.
    pub fn price(&self, currency: Currency) -> Option<Price> {
        self.details.prices.iter().find(|price| price.list.currency == currency).copied()
    }
}

impl TryFrom<variant::Model> for Variant {
    type Error = Fault;

    fn try_from(row: variant::Model) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            product_id: row.product_id,
            sku: row.sku,
            position: row.position,
            tax_class: row.tax_class,
            weight_grams: row.weight_grams,
            details: serde_json::from_str(&row.details).map_err(Fault::internal)?,
        })
    }
}

/// Why a change to a product is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such product.
    NotFound,
    /// Another product has the slug.
    SlugTaken,
    /// The slug is not made of lower-case letters, digits and single dashes.
    BadSlug,
    /// The title is empty or too long.
    BadTitle,
    /// It was changed since.
    VersionConflict {
        /// Its version now.
        current: i32,
    },
    /// Too many prices at once.
    TooManyPrices {
        /// How many may be set.
        most: usize,
    },
    /// There is no such variant of the product.
    UnknownVariant {
        /// Which of the prices is to blame.
        index: usize,
    },
    /// Nothing is sold in the currency.
    UnknownCurrency {
        /// Which of the prices is to blame.
        index: usize,
        /// The currency.
        currency: Currency,
    },
    /// The price is not positive, or endless.
    BadPrice {
        /// Which of the prices is to blame.
        index: usize,
    },
    /// The earlier price is not above the price, or in another currency.
    BadComparePrice {
        /// Which of the prices is to blame.
        index: usize,
    },
}

/// A slug: lower-case letters, digits and single dashes between them.
pub fn check_slug(slug: &str) -> Result<(), Refusal> {
    let parts_are_good = slug.split('-').all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if parts_are_good && slug.len() <= LONGEST { Ok(()) } else { Err(Refusal::BadSlug) }
}

/// A title: not blank, and not too long.
pub fn check_title(title: &str) -> Result<(), Refusal> {
    let length = title.trim().chars().count();
    if (1..=LONGEST).contains(&length) { Ok(()) } else { Err(Refusal::BadTitle) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_lower_case_words_joined_by_dashes() {
        for (slug, good) in [
            ("oak-table-2", true),
            ("", false),
            ("-oak", false),
            ("oak--table", false),
            ("Oak", false),
            ("oak table", false),
            ("eiche-tisch-ä", false),
        ] {
            assert_eq!(check_slug(slug).is_ok(), good, "{slug}");
        }
    }

    #[test]
    fn titles_are_neither_blank_nor_endless() {
        assert!(check_title("Oak table").is_ok());
        assert!(check_title("   ").is_err());
        assert!(check_title(&"x".repeat(121)).is_err());
    }
}
