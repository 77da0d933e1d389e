//! Lines of a cart: so many of one variant, at a price that holds for a while.

use std::sync::Arc;
use std::time::Duration;

use common::id::{CartLineId, VariantId};
use common::{Currency, Timestamp};

use super::Offer;

/// How long a price holds after the variant was put into the cart.
pub const LOCK: Duration = Duration::from_secs(15 * 60);
/// Most lines of a cart.
pub const LONGEST_CART: usize = 100;
/// Most of one variant in a cart.
pub const LARGEST_LINE: i32 = 999;

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: CartLineId,
    /// Rises from line to line as they are added; ids of one moment would come in any order.
    pub position: i32,
    pub variant: VariantId,
    pub quantity: i32,
    /// The list price in minor units when it was locked.
    pub locked_minor: i64,
    /// Until when that price holds.
    pub locked_until: Timestamp,
    /// What is bought; missing only if the catalogue never told of it.
    pub offer: Option<Arc<Offer>>,
}

impl Line {
    /// Whether the locked price still holds.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        now < self.locked_until
    }

    /// The list price today, in minor units.
    pub fn list_minor(&self, currency: Currency) -> Option<i64> {
        self.offer.as_ref().and_then(|offer| offer.price(currency))
    }

    /// What one costs now: the locked price while it holds, then the list price.
    pub fn unit_minor(&self, currency: Currency, now: Timestamp) -> i64 {
        if self.is_locked(now) {
            return self.locked_minor;
        }
        self.list_minor(currency).unwrap_or(self.locked_minor)
    }

    /// Whether it can be bought in the channel and currency.
    pub fn is_sold(&self, channel: &str, currency: Currency) -> bool {
        self.list_minor(currency).is_some()
            && self.offer.as_ref().is_some_and(|offer| offer.is_sold_in(channel))
    }

    /// What people call it.
    pub fn title(&self, locale: &str) -> &str {
        self.offer.as_ref().map_or("An article", |offer| offer.title(locale))
    }

    /// Takes the list price of today and locks it anew.
    pub fn lock(&mut self, minor: i64, now: Timestamp) {
        self.locked_minor = minor;
        self.locked_until = now.plus(LOCK);
    }
}
