//! Offers: what the catalogue says of a variant, as far as carts need it.

use std::collections::BTreeMap;

use common::Currency;
use common::id::{CategoryId, ProductId, VariantId};
use serde::{Deserialize, Serialize};

use super::{TaxClass, localised};

/// The highest list price in minor units that carts take: 100 lines of 999 of it, taxed, stay below 2^53.
const HIGHEST_PRICE: i64 = 10_000_000_000;

/// A variant that can be put into carts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub variant: VariantId,
    pub product: ProductId,
    /// The product's version that this was taken from.
    pub version: i32,
    pub sku: String,
    pub tax_class: TaxClass,
    /// Whether the product is on sale.
    pub active: bool,
    pub weight_grams: i32,
    pub details: OfferDetails,
}

/// What an offer's row holds as one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferDetails {
    /// Name of product and variant by locale; English is always there.
    pub titles: BTreeMap<String, String>,
    /// List prices in minor units.
    pub prices: BTreeMap<Currency, i64>,
    /// Codes of the channels that do not show it.
    pub hidden_in: Vec<String>,
    /// Its category and those above.
    pub categories: Vec<CategoryId>,
}

impl Offer {
    /// Name of product and variant in the language.
    pub fn title(&self, locale: &str) -> &str {
        localised(&self.details.titles, locale)
    }

    /// The list price in minor units of the currency.
    pub fn price(&self, currency: Currency) -> Option<i64> {
        let price = self.details.prices.get(&currency).copied();
        price.filter(|minor| (0..=HIGHEST_PRICE).contains(minor))
    }

    /// Whether shoppers of the channel can buy it.
    pub fn is_sold_in(&self, channel: &str) -> bool {
        self.active && !self.details.hidden_in.iter().any(|hidden| hidden == channel)
    }
}
