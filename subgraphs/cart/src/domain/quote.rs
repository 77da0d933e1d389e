//! What a cart comes to: lines, discounts, delivery, tax. The lines add up to the totals exactly.

use common::id::{CartLineId, CategoryId, ProductId};
use common::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::discount::{self, Application, Item, Outcome, Scene};
use super::shipping::{self, DeliveryOption, Parcel};
use super::{Basket, Promotion, TaxClass, tax};

/// A cart with what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    pub basket: Basket,
    pub quote: Quote,
}

/// What a cart comes to. Amounts are minor units.
///
/// `total` = `subtotal` − `discount` + `shipping` + `tax` where prices are net, without `tax` where they include it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub currency: Currency,
    /// In the order of the cart's lines.
    pub lines: Vec<QuotedLine>,
    pub subtotal: i64,
    /// Off the lines; what is taken off the delivery is in `shipping` already.
    pub discount: i64,
    /// Nothing while no delivery option is chosen.
    pub shipping: Option<i64>,
    /// Of the lines and the delivery.
    pub tax: i64,
    pub tax_included: bool,
    pub total: i64,
    /// Whether something is still to be chosen that can change the total.
    pub estimated: bool,
    pub applications: Vec<Application>,
    /// How it can be sent; not kept in a frozen cart.
    #[serde(skip)]
    pub options: Vec<DeliveryOption>,
}

/// What a line comes to. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedLine {
    pub id: CartLineId,
    /// Price of one.
    pub unit: i64,
    pub discount: i64,
    pub tax: i64,
    /// Price times quantity less discount.
    pub total: i64,
    /// Until when the price holds.
    pub locked_until: Option<Timestamp>,
}

/// Prices a cart as of `now`; `None` where an amount leaves ±(2^53 − 1).
pub fn quote(basket: &Basket, promotions: &[Promotion], now: Timestamp) -> Option<Quote> {
    let cart = &basket.cart;
    let units: Vec<i64> = basket.lines.iter().map(|line| line.unit_minor(cart.currency, now)).collect();
    let items: Vec<Item<'_>> = basket
        .lines
        .iter()
        .zip(&units)
        .map(|(line, unit)| Item {
            product: line.offer.as_ref().map(|offer| offer.product),
            categories: line.offer.as_ref().map_or(&[][..], |offer| &offer.details.categories),
            unit: *unit,
            quantity: line.quantity.into(),
        })
        .collect();
    let subtotal: i64 = items.iter().map(|item| item.unit * item.quantity).sum();
    let options = delivery_options(basket, subtotal);
    let chosen = options.iter().find(|option| Some(option.id) == cart.delivery_option.as_deref());
    let outcome = {
        let cost_of =
            |id| options.iter().find(|option| option.id == id).map_or(0, |option| option.cost_minor);
        let scene = Scene {
            currency: cart.currency,
            locale: &cart.locale,
            items: &items,
            shipping: chosen.map_or(0, |option| option.cost_minor),
            standard_shipping: cost_of(shipping::STANDARD),
        };
        let claimed: Vec<&Promotion> = promotions
            .iter()
            .filter(|promotion| promotion.is_running(now) && promotion.is_claimed(&cart.codes))
            .collect();
        discount::apply(&scene, &claimed)?
    };
    let taxation = Taxation::of(basket);
    let lines = quoted_lines(basket, &units, &outcome, &taxation, now)?;
    let discount: i64 = outcome.by_item.iter().sum();
    let shipping = chosen.map(|option| option.cost_minor - outcome.shipping);
    let shipping_tax = taxation.on(shipping.unwrap_or(0), TaxClass::Standard)?;
    let tax = lines.iter().map(|line| line.tax).sum::<i64>() + shipping_tax;
    let on_top = if taxation.included { 0 } else { tax };
    let address_is_complete = cart.shipping_address.as_ref().is_some_and(super::Address::is_complete);
    Some(Quote {
        currency: cart.currency,
        lines,
        subtotal,
        discount,
        shipping,
        tax,
        tax_included: taxation.included,
        total: subtotal - discount + shipping.unwrap_or(0) + on_top,
        estimated: shipping.is_none() || !address_is_complete,
        applications: outcome.applications,
        options,
    })
}

fn delivery_options(basket: &Basket, subtotal: i64) -> Vec<DeliveryOption> {
    if basket.lines.is_empty() {
        return Vec::new();
    }
    let weight = basket.lines.iter().map(|line| {
        let each = line.offer.as_ref().map_or(0, |offer| i64::from(offer.weight_grams.max(0)));
        each * i64::from(line.quantity)
    });
    let cart = &basket.cart;
    let parcel = Parcel {
        channel: &cart.channel,
        country: cart.destination(),
        currency: cart.currency,
        worth_minor: subtotal,
        weight_grams: weight.sum(),
    };
    shipping::options(&parcel, &cart.locale)
}

fn quoted_lines(
    basket: &Basket,
    units: &[i64],
    outcome: &Outcome,
    taxation: &Taxation<'_>,
    now: Timestamp,
) -> Option<Vec<QuotedLine>> {
    let mut lines = Vec::with_capacity(units.len());
    for (index, line) in basket.lines.iter().enumerate() {
        let (unit, discount) = (units[index], outcome.by_item[index]);
        let total = unit * i64::from(line.quantity) - discount;
        let class = line.offer.as_ref().map_or(TaxClass::Standard, |offer| offer.tax_class);
        lines.push(QuotedLine {
            id: line.id,
            unit,
            discount,
            tax: taxation.on(total, class)?,
            total,
            locked_until: line.is_locked(now).then_some(line.locked_until),
        });
    }
    Some(lines)
}

/// How a cart is taxed.
struct Taxation<'a> {
    currency: Currency,
    country: &'a str,
    region: Option<&'a str>,
    included: bool,
}

impl<'a> Taxation<'a> {
    fn of(basket: &'a Basket) -> Self {
        let cart = &basket.cart;
        let address = cart.shipping_address.as_ref();
        Self {
            currency: cart.currency,
            country: cart.destination(),
            region: address.and_then(|address| address.fields.region.as_deref()),
            included: tax::is_included(&cart.channel),
        }
    }

    /// The tax on an amount of minor units, rounded half-even.
    fn on(&self, minor: i64, class: TaxClass) -> Option<i64> {
        let rate = tax::rate(self.country, self.region, class);
        let amount = Money::new(minor, self.currency);
        let tax = if self.included { amount.included_tax(rate) } else { amount.share(rate) };
        tax.map(|tax| tax.minor)
    }
}

/// What a buyer pays for one article before it is in a cart. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuyerPrice {
    /// Rounded half-even where the discount does not divide evenly.
    pub unit: i64,
    pub tax: i64,
    pub tax_included: bool,
    /// What is taken off the whole quantity.
    pub applications: Vec<Application>,
    /// When the first of the promotions ends.
    pub valid_until: Option<Timestamp>,
}

/// The article a price is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    pub list: Money,
    pub class: TaxClass,
    pub quantity: i64,
    pub product: Option<ProductId>,
    pub categories: &'a [CategoryId],
}

/// What a shopper of the channel and country pays for one of `quantity`, with the promotions that need no code and are
/// about articles rather than whole carts.
pub fn buyer_price(
    asked: &Asked<'_>,
    shop: &auth::ShopContext,
    promotions: &[Promotion],
    now: Timestamp,
) -> Option<BuyerPrice> {
    let item = Item {
        product: asked.product,
        categories: asked.categories,
        unit: asked.list.minor,
        quantity: asked.quantity,
    };
    let items = [item];
    let scene = Scene {
        currency: asked.list.currency,
        locale: &shop.locale,
        items: &items,
        shipping: 0,
        standard_shipping: 0,
    };
    let open: Vec<&Promotion> = promotions
        .iter()
        .filter(|promotion| promotion.is_on_articles() && promotion.is_running(now))
        .collect();
    let outcome = discount::apply(&scene, &open)?;
    let total = asked.list.checked_mul(asked.quantity)?.minor - outcome.by_item.iter().sum::<i64>();
    let unit = Money::new(total, asked.list.currency).fraction(1, asked.quantity)?;
    let included = tax::is_included(&shop.channel);
    let rate = tax::rate(&shop.country, None, asked.class);
    let tax = if included { unit.included_tax(rate)? } else { unit.share(rate)? };
    let valid_until = open
        .iter()
        .filter(|promotion| outcome.applications.iter().any(|applied| applied.promotion == promotion.id))
        .filter_map(|promotion| promotion.ends_at)
        .min();
    Some(BuyerPrice {
        unit: unit.minor,
        tax: tax.minor,
        tax_included: included,
        applications: outcome.applications,
        valid_until,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use common::Ids;
    use common::id::PromotionId;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::{basket, offer};
    use crate::domain::{Address, AddressFields, Effect, Offer, Terms};

    const NOW: Timestamp = Timestamp(1);

    /// Where a cart of the table stands, and in what.
    type Place = (&'static str, Currency, &'static str, Option<&'static str>);

    fn placed(mut basket: Basket, (channel, currency, country, region): Place, delivery: &str) -> Basket {
        let fields = AddressFields { region: region.map(str::to_owned), ..AddressFields::default() };
        basket.cart.channel = channel.into();
        basket.cart.currency = currency;
        basket.cart.shipping_address = Some(Address { country: country.into(), fields });
        basket.cart.delivery_option = Some(delivery.into());
        basket
    }

    fn promotion(ids: &Ids, effect: Effect) -> Promotion {
        let terms = Terms {
            titles: BTreeMap::from([("en".into(), "Offer".into())]),
            effect,
            min_subtotal: BTreeMap::new(),
            categories: Vec::new(),
            products: Vec::new(),
        };
        let id: PromotionId = ids.next();
        Promotion {
            id,
            code: None,
            priority: 0,
            exclusive: false,
            starts_at: Timestamp(0),
            ends_at: None,
            usage_limit: None,
            used: 0,
            terms,
        }
    }

    fn of_class(class: TaxClass, offer: &Arc<Offer>) -> Arc<Offer> {
        Arc::new(Offer { tax_class: class, ..Offer::clone(offer) })
    }

    #[test]
    fn totals_are_as_the_table_says() {
        use TaxClass::{Reduced, Standard, Zero};
        let tenth = || Some(Effect::Percentage { basis_points: 1_000 });
        let us = ("us", Currency::USD, "US", Some("CA"));
        let oregon = ("us", Currency::USD, "US", Some("OR"));
        let germany = ("eu", Currency::EUR, "DE", None);
        let japan = ("jp", Currency::JPY, "JP", None);
        let kuwait = ("kw", Currency::KWD, "KW", None);
        // Place, class, price, quantity, promotion → subtotal, discount, shipping, tax, total.
        for (place, class, price, quantity, effect, expected) in [
            (us, Standard, 1_000, 2, None, [2_000, 0, 599, 165 + 49, 2_813]),
            (us, Standard, 1_000, 2, tenth(), [2_000, 200, 599, 148 + 49, 2_596]),
            (us, Zero, 1_000, 2, None, [2_000, 0, 599, 49, 2_648]),
            (us, Standard, 7_500, 1, None, [7_500, 0, 0, 619, 8_119]),
            (us, Standard, 1_000, 1, Some(Effect::FreeShipping), [1_000, 0, 0, 82, 1_082]),
            (oregon, Standard, 1_000, 2, None, [2_000, 0, 599, 0, 2_599]),
            (germany, Standard, 1_190, 1, None, [1_190, 0, 499, 190 + 80, 1_689]),
            (germany, Reduced, 1_070, 1, None, [1_070, 0, 499, 70 + 80, 1_569]),
            (japan, Standard, 1_100, 3, None, [3_300, 0, 660, 300 + 60, 3_960]),
            (japan, Reduced, 1_080, 1, tenth(), [1_080, 108, 660, 72 + 60, 1_632]),
            (kuwait, Standard, 1_505, 1, tenth(), [1_505, 150, 1_500, 0, 2_855]),
        ] {
            let ids = Ids::counted();
            let bought = of_class(class, &offer(&ids, price));
            let cart = placed(basket(&ids, &[(&bought, quantity)]), place, "standard");
            let promotions: Vec<Promotion> =
                effect.iter().map(|effect| promotion(&ids, effect.clone())).collect();
            let quote = quote(&cart, &promotions, NOW).unwrap();
            let found =
                [quote.subtotal, quote.discount, quote.shipping.unwrap_or(-1), quote.tax, quote.total];
            assert_eq!(found, expected, "{place:?} {class:?} {price} × {quantity} {effect:?}");
        }
    }

    #[test]
    fn an_empty_cart_comes_to_nothing() {
        let ids = Ids::counted();
        let free = promotion(&ids, Effect::FreeShipping);
        let quote = quote(&basket(&ids, &[]), &[free], NOW).unwrap();
        assert_eq!((quote.total, quote.shipping, quote.applications.len()), (0, None, 0));
        assert!(quote.options.is_empty() && quote.estimated);
    }

    proptest! {
        #[test]
        fn lines_add_up_to_the_totals_and_nothing_is_negative(
            lines in prop::collection::vec((0i64..=10_000_000_000, 1i32..=999), 1..100),
            points in 0i64..=10_000, fixed in 0i64..=100_000, place in 0usize..5, express: bool
        ) {
            let place = [
                ("us", Currency::USD, "US", None),
                ("us", Currency::USD, "DE", None),
                ("eu", Currency::EUR, "FR", None),
                ("jp", Currency::JPY, "JP", None),
                ("kw", Currency::KWD, "KW", None),
            ][place];
            let ids = Ids::counted();
            let offers: Vec<_> = lines.iter().map(|(price, quantity)| (offer(&ids, *price), *quantity)).collect();
            let wanted: Vec<_> = offers.iter().map(|(offer, quantity)| (offer, *quantity)).collect();
            let delivery = if express { "express" } else { "standard" };
            let cart = placed(basket(&ids, &wanted), place, delivery);
            let promotions = [
                promotion(&ids, Effect::Percentage { basis_points: points }),
                promotion(&ids, Effect::Fixed { amounts: BTreeMap::from([(place.1, fixed)]) }),
                promotion(&ids, Effect::BuyGet { buy: 2, get: 1 }),
                promotion(&ids, Effect::FreeShipping),
            ];
            let quote = quote(&cart, &promotions, NOW).unwrap();
            let sum = |part: fn(&QuotedLine) -> i64| quote.lines.iter().map(part).sum::<i64>();
            prop_assert_eq!(sum(|line| line.total), quote.subtotal - quote.discount);
            prop_assert_eq!(sum(|line| line.discount), quote.discount);
            prop_assert!(sum(|line| line.tax) <= quote.tax);
            prop_assert!(quote.lines.iter().all(|line| line.total >= 0 && line.discount >= 0 && line.tax >= 0));
            let shipping = quote.shipping.unwrap();
            let on_top = if quote.tax_included { 0 } else { quote.tax };
            prop_assert!(shipping >= 0);
            prop_assert_eq!(quote.total, quote.subtotal - quote.discount + shipping + on_top);
            prop_assert!(quote.total <= common::money::MAX_MINOR);
        }
    }
}
