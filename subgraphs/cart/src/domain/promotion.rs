//! Promotions: what they take off, of what, and when.

use std::collections::BTreeMap;

use common::id::{CategoryId, ProductId, PromotionId};
use common::{Currency, Timestamp};
use serde::{Deserialize, Serialize};

use super::localised;

/// A promotion, by code or for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    pub id: PromotionId,
    /// In upper case; nothing for a promotion that needs none.
    pub code: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// Whether it stands alone.
    pub exclusive: bool,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    /// How many carts may be ordered with it.
    pub usage_limit: Option<i32>,
    /// How many were, or are being.
    pub used: i32,
    pub terms: Terms,
}

/// What a promotion's row holds as one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Name by locale; English is always there.
    pub titles: BTreeMap<String, String>,
    pub effect: Effect,
    /// What the cart must come to before discounts, in minor units; where it is not empty, other currencies get
    /// nothing.
    #[serde(default)]
    pub min_subtotal: BTreeMap<Currency, i64>,
    /// Only products of these categories and those below; all where both lists are empty.
    #[serde(default)]
    pub categories: Vec<CategoryId>,
    /// Only these products.
    #[serde(default)]
    pub products: Vec<ProductId>,
}

/// What a promotion takes off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// A share of what its lines still cost.
    Percentage {
        /// 1,000 is 10%.
        basis_points: i64,
    },
    /// So much of what its lines still cost, by currency.
    Fixed {
        /// Minor units.
        amounts: BTreeMap<Currency, i64>,
    },
    /// The cost of standard delivery.
    FreeShipping,
    /// Of every `buy` + `get` articles the `get` cheapest cost nothing.
    BuyGet {
        /// How many are paid for.
        buy: i64,
        /// How many are free.
        get: i64,
    },
}

impl Promotion {
    /// Whether it runs and is not used up.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.starts_at <= now
            && self.ends_at.is_none_or(|end| now < end)
            && self.usage_limit.is_none_or(|limit| self.used < limit)
    }

    /// When it next begins or ends by itself.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        [Some(self.starts_at), self.ends_at].into_iter().flatten().filter(|change| *change > now).min()
    }

    /// Whether the buyer has what it asks for: a code, or nothing.
    pub fn is_claimed(&self, codes: &[String]) -> bool {
        self.code.as_ref().is_none_or(|code| codes.contains(code))
    }

    /// Whether it needs no code and is about articles rather than a whole cart, so that a price can show it.
    pub fn is_on_articles(&self) -> bool {
        self.code.is_none() && matches!(self.terms.effect, Effect::Percentage { .. } | Effect::BuyGet { .. })
    }

    /// Whether it is for some products only.
    pub fn is_restricted(&self) -> bool {
        !self.terms.categories.is_empty() || !self.terms.products.is_empty()
    }

    /// Whether it is for this product.
    pub fn covers(&self, product: Option<ProductId>, categories: &[CategoryId]) -> bool {
        !self.is_restricted()
            || product.is_some_and(|product| self.terms.products.contains(&product))
            || categories.iter().any(|category| self.terms.categories.contains(category))
    }

    /// Whether a cart of this subtotal gets it.
    pub fn is_earned(&self, currency: Currency, subtotal_minor: i64) -> bool {
        self.terms.min_subtotal.is_empty()
            || self.terms.min_subtotal.get(&currency).is_some_and(|least| subtotal_minor >= *least)
    }

    /// Its name in the language.
    pub fn title(&self, locale: &str) -> &str {
        localised(&self.terms.titles, locale)
    }
}
