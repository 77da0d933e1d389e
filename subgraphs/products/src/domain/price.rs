//! List prices: what variants cost, what they cost before, and what of it a product shows.

use common::id::VariantId;
use common::money::MAX_MINOR;
use common::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::product::{Details, Refusal, Variant};

/// Most prices that are set at once.
const MOST_PRICES: usize = 250;

/// A list price and what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// What it costs.
    pub list: Money,
    /// What it cost before, in minor units.
    pub compare_at_minor: Option<i64>,
}

/// A list price that a variant is to have, in place of what it has in the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPrice {
    pub variant: VariantId,
    pub list: Money,
    /// The earlier price to show beside it.
    pub compare_at: Option<Money>,
}

/// Checks new prices for variants of a product; `currencies` are those that the shop sells in.
pub fn check_prices(
    prices: &[NewPrice],
    variants: &[Variant],
    currencies: &[Currency],
) -> Result<(), Refusal> {
    if prices.len() > MOST_PRICES {
        return Err(Refusal::TooManyPrices { most: MOST_PRICES });
    }
    for (index, new) in prices.iter().enumerate() {
        if variants.iter().all(|variant| variant.id != new.variant) {
            return Err(Refusal::UnknownVariant { index });
        }
        if !currencies.contains(&new.list.currency) {
            return Err(Refusal::UnknownCurrency { index, currency: new.list.currency });
        }
        if !(1..=MAX_MINOR).contains(&new.list.minor) {
            return Err(Refusal::BadPrice { index });
        }
        let is_earlier = |earlier: Money| {
            earlier.currency == new.list.currency && (new.list.minor + 1..=MAX_MINOR).contains(&earlier.minor)
        };
        if !new.compare_at.is_none_or(is_earlier) {
            return Err(Refusal::BadComparePrice { index });
        }
    }
    Ok(())
}

/// Sets prices that were checked, and what the product shows of them. Says whose prices are others now.
pub fn set_prices(prices: &[NewPrice], variants: &mut [Variant], details: &mut Details) -> Vec<VariantId> {
    let before = variants.to_vec();
    for new in prices {
        let Some(variant) = variants.iter_mut().find(|variant| variant.id == new.variant) else { continue };
        let price = Price { list: new.list, compare_at_minor: new.compare_at.map(|earlier| earlier.minor) };
        let known = &mut variant.details.prices;
        match known.iter_mut().find(|known| known.list.currency == new.list.currency) {
            Some(known) => *known = price,
            None => known.push(price),
        }
    }
    let all = || variants.iter().flat_map(|variant| &variant.details.prices);
    details.price_ranges = ranges(all().map(|price| price.list));
    details.compare_at_ranges = ranges(all().filter_map(Price::compare_at));
    let changed = variants.iter().zip(&before).filter(|(now, before)| now.details != before.details);
    changed.map(|(now, _)| now.id).collect()
}

impl Price {
    /// What it cost before.
    pub fn compare_at(&self) -> Option<Money> {
        self.compare_at_minor.map(|minor| Money::new(minor, self.list.currency))
    }
}

/// The lowest and the highest amount in each currency.
pub fn ranges(amounts: impl Iterator<Item = Money>) -> Vec<(Money, Money)> {
    let mut ranges: Vec<(Money, Money)> = Vec::new();
    for amount in amounts {
        match ranges.iter_mut().find(|(low, _)| low.currency == amount.currency) {
            Some((low, high)) => {
                low.minor = low.minor.min(amount.minor);
                high.minor = high.minor.max(amount.minor);
            }
            None => ranges.push((amount, amount)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    use common::Ids;

    use crate::domain::VariantDetails;

    fn dollars(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn variant(ids: &Ids, minor: i64) -> Variant {
        Variant {
            id: ids.next(),
            product_id: ids.next(),
            sku: "A".into(),
            position: 0,
            tax_class: "standard".into(),
            weight_grams: None,
            details: VariantDetails {
                title: "A".into(),
                options: Vec::new(),
                image: None,
                prices: vec![Price { list: dollars(minor), compare_at_minor: Some(minor + 100) }],
            },
        }
    }

    #[test]
    fn a_price_is_of_a_known_variant_positive_and_below_what_it_was_before() {
        let ids = Ids::counted();
        let known = variant(&ids, 500);
        let euro = Money::new(900, Currency::EUR);
        for (of, list, compare_at, expected) in [
            (known.id, dollars(1), None, Ok(())),
            (known.id, dollars(900), Some(dollars(901)), Ok(())),
            (known.id, dollars(900), Some(dollars(900)), Err(Refusal::BadComparePrice { index: 0 })),
            (known.id, dollars(800), Some(euro), Err(Refusal::BadComparePrice { index: 0 })),
            (known.id, dollars(0), None, Err(Refusal::BadPrice { index: 0 })),
            (known.id, dollars(MAX_MINOR + 1), None, Err(Refusal::BadPrice { index: 0 })),
            (known.id, euro, None, Err(Refusal::UnknownCurrency { index: 0, currency: Currency::EUR })),
            (ids.next(), dollars(1), None, Err(Refusal::UnknownVariant { index: 0 })),
        ] {
            let new = NewPrice { variant: of, list, compare_at };
            let checked = check_prices(&[new], std::slice::from_ref(&known), &[Currency::USD]);
            assert_eq!(checked, expected, "{new:?}");
        }
    }

    #[test]
    fn a_product_shows_the_ranges_of_its_new_prices() {
        let ids = Ids::counted();
        let mut variants = [variant(&ids, 500), variant(&ids, 700)];
        let mut details = Details::default();
        let (first, second) = (variants[0].id, variants[1].id);
        let set = |variant, list, compare_at| NewPrice { variant, list, compare_at };
        let euro = Money::new(450, Currency::EUR);
        let prices = [
            set(first, dollars(900), None),
            set(first, euro, None),
            set(second, dollars(700), Some(dollars(800))),
        ];
        assert_eq!(
            set_prices(&prices, &mut variants, &mut details),
            [first],
            "the second one's is as it was"
        );
        assert_eq!(details.price_ranges, [(dollars(700), dollars(900)), (euro, euro)]);
        assert_eq!(details.compare_at_ranges, [(dollars(800), dollars(800))]);
    }
}
