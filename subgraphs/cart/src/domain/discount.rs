//! What promotions take off a cart: which of them apply, and how each falls on the lines to the last minor unit.

use common::id::{CategoryId, ProductId, PromotionId};
use common::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::{Effect, Promotion};

/// A line as promotions see it. Amounts are minor units.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    pub product: Option<ProductId>,
    pub categories: &'a [CategoryId],
    pub unit: i64,
    pub quantity: i64,
}

/// What all promotions see of a cart. Amounts are minor units.
#[derive(Debug)]
pub struct Scene<'a> {
    pub currency: Currency,
    pub locale: &'a str,
    pub items: &'a [Item<'a>],
    /// What the chosen delivery costs.
    pub shipping: i64,
    /// What standard delivery costs.
    pub standard_shipping: i64,
}

/// A promotion that applies, and what it takes off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    pub promotion: PromotionId,
    pub code: Option<String>,
    /// Name in the cart's language.
    pub title: String,
    pub amount_minor: i64,
}

/// What comes of promotions. Amounts are minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By item, never more than the item costs.
    pub by_item: Vec<i64>,
    /// Off the delivery.
    pub shipping: i64,
    pub applications: Vec<Application>,
}

impl Outcome {
    fn saving(&self) -> i64 {
        self.by_item.iter().sum::<i64>() + self.shipping
    }
}

/// The best of what these promotions allow: all that may stand together, or one that must stand alone. `None` where an
/// amount leaves ±(2^53 − 1).
pub fn apply(scene: &Scene<'_>, promotions: &[&Promotion]) -> Option<Outcome> {
    let mut ordered = promotions.to_vec();
    ordered.sort_by_key(|promotion| (std::cmp::Reverse(promotion.priority), promotion.id));
    let (alone, together): (Vec<&Promotion>, Vec<&Promotion>) =
        ordered.into_iter().partition(|promotion| promotion.exclusive);
    let mut best = stack(scene, &together)?;
    for promotion in alone {
        let outcome = stack(scene, &[promotion])?;
        if outcome.saving() > best.saving() {
            best = outcome;
        }
    }
    Some(best)
}

/// These promotions one after the other, each on what the ones before left.
fn stack(scene: &Scene<'_>, promotions: &[&Promotion]) -> Option<Outcome> {
    let full: Vec<i64> = scene.items.iter().map(|item| item.unit * item.quantity).collect();
    let subtotal: i64 = full.iter().sum();
    let mut left = full.clone();
    let mut outcome = Outcome { by_item: vec![0; full.len()], ..Outcome::default() };
    for promotion in promotions {
        if subtotal == 0 || !promotion.is_earned(scene.currency, subtotal) {
            continue;
        }
        let amount = match &promotion.terms.effect {
            Effect::FreeShipping => {
                let covered = scene.items.iter().any(|item| promotion.covers(item.product, item.categories));
                if !covered {
                    continue;
                }
                let waived = scene.shipping.min(scene.standard_shipping) - outcome.shipping;
                outcome.shipping += waived;
                waived
            }
            effect => {
                let cuts = cuts(scene, promotion, effect, &left)?;
                let amount = cuts.iter().sum();
                if amount == 0 {
                    continue;
                }
                for (index, cut) in cuts.into_iter().enumerate() {
                    left[index] -= cut;
                    outcome.by_item[index] += cut;
                }
                amount
            }
        };
        outcome.applications.push(Application {
            promotion: promotion.id,
            code: promotion.code.clone(),
            title: promotion.title(scene.locale).to_owned(),
            amount_minor: amount,
        });
    }
    Some(outcome)
}

/// What one promotion takes off each item, given what is left of them.
fn cuts(scene: &Scene<'_>, promotion: &Promotion, effect: &Effect, left: &[i64]) -> Option<Vec<i64>> {
    let eligible: Vec<i64> = scene
        .items
        .iter()
        .zip(left)
        .map(|(item, left)| if promotion.covers(item.product, item.categories) { *left } else { 0 })
        .collect();
    let sum: i64 = eligible.iter().sum();
    match effect {
        Effect::Percentage { basis_points } => {
            let amount = Money::new(sum, scene.currency).share((*basis_points).clamp(0, 10_000))?.minor;
            Some(distribute(amount, &eligible))
        }
        Effect::Fixed { amounts } => {
            let amount = amounts.get(&scene.currency).copied().unwrap_or(0);
            Some(distribute(amount.clamp(0, sum), &eligible))
        }
        Effect::BuyGet { buy, get } => Some(free_units(scene.items, &eligible, *buy, *get)),
        Effect::FreeShipping => Some(vec![0; eligible.len()]),
    }
}

/// The cheapest of every `buy` + `get` units of the eligible items are free.
fn free_units(items: &[Item<'_>], eligible: &[i64], buy: i64, get: i64) -> Vec<i64> {
    let mut cuts = vec![0; items.len()];
    if buy < 1 || get < 1 {
        return cuts;
    }
    let mut by_price: Vec<usize> = (0..items.len()).filter(|index| eligible[*index] > 0).collect();
    by_price.sort_by_key(|index| (items[*index].unit, *index));
    let units: i64 = by_price.iter().map(|index| items[*index].quantity).sum();
    let mut free = units / (buy + get) * get;
    for index in by_price {
        let here = free.min(items[index].quantity);
        free -= here;
        cuts[index] = (here * items[index].unit).min(eligible[index]);
    }
    cuts
}

/// Splits `amount` in proportion to `weights` by largest remainder, ties to the first: the parts add up exactly. Where
/// `amount` is at most the sum of the weights no part exceeds its weight.
fn distribute(amount: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(amount) * i128::from(weight);
    let mut parts: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(exact(*weight) / sum).unwrap_or(i64::MAX)).collect();
    let given: i64 = parts.iter().sum();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|index| (std::cmp::Reverse(exact(weights[*index]) % sum), *index));
    let missing = usize::try_from(amount - given).unwrap_or(0);
    for index in by_remainder.into_iter().take(missing) {
        parts[index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use common::{Clock, Ids, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Terms;

    fn promotion(ids: &Ids, effect: Effect) -> Promotion {
        let terms = Terms {
            titles: BTreeMap::from([("en".into(), "Offer".into())]),
            effect,
            min_subtotal: BTreeMap::new(),
            categories: Vec::new(),
            products: Vec::new(),
        };
        Promotion {
            id: ids.next(),
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

    fn items(prices: &[(i64, i64)]) -> Vec<Item<'static>> {
        prices
            .iter()
            .map(|(unit, quantity)| Item { product: None, categories: &[], unit: *unit, quantity: *quantity })
            .collect()
    }

    fn scene<'a>(items: &'a [Item<'a>]) -> Scene<'a> {
        Scene { currency: Currency::USD, locale: "en", items, shipping: 1_499, standard_shipping: 599 }
    }

    fn percent(points: i64) -> Effect {
        Effect::Percentage { basis_points: points }
    }

    fn fixed(amount: i64) -> Effect {
        Effect::Fixed { amounts: BTreeMap::from([(Currency::USD, amount)]) }
    }

    #[test]
    fn effects_fall_on_lines_as_the_table_says() {
        let ids = Ids::counted();
        for (effect, prices, expected) in [
            (percent(1_000), vec![(1_000, 1), (999, 1)], vec![100, 100]),
            (percent(1_000), vec![(15, 1)], vec![2]),
            (percent(1_000), vec![(25, 1)], vec![2]),
            (fixed(100), vec![(100, 1), (100, 1), (100, 1)], vec![34, 33, 33]),
            (fixed(500), vec![(200, 1), (100, 1)], vec![200, 100]),
            (fixed(1), vec![(0, 3), (7, 1)], vec![0, 1]),
            (Effect::BuyGet { buy: 2, get: 1 }, vec![(500, 2), (300, 1)], vec![0, 300]),
            (Effect::BuyGet { buy: 2, get: 1 }, vec![(500, 6)], vec![1_000]),
            (Effect::BuyGet { buy: 1, get: 1 }, vec![(500, 3), (200, 1)], vec![500, 200]),
        ] {
            let items = items(&prices);
            let promotion = promotion(&ids, effect.clone());
            let outcome = apply(&scene(&items), &[&promotion]).map(|outcome| outcome.by_item);
            assert_eq!(outcome.unwrap_or_default(), expected, "{effect:?} on {prices:?}");
        }
    }

    #[test]
    fn stacked_promotions_go_by_priority_each_on_what_is_left() {
        let ids = Ids::counted();
        let ten_off = Promotion { priority: 1, ..promotion(&ids, fixed(1_000)) };
        let half = promotion(&ids, percent(5_000));
        let items = items(&[(3_000, 1)]);
        let outcome = apply(&scene(&items), &[&half, &ten_off]).unwrap();
        assert_eq!(outcome.applications.iter().map(|a| a.amount_minor).collect::<Vec<_>>(), [1_000, 1_000]);
    }

    #[test]
    fn an_exclusive_promotion_stands_alone_and_only_where_it_saves_more() {
        let ids = Ids::counted();
        let small = promotion(&ids, percent(1_000));
        let big = Promotion { exclusive: true, ..promotion(&ids, percent(2_000)) };
        let tiny = Promotion { exclusive: true, ..promotion(&ids, percent(500)) };
        let items = items(&[(10_000, 1)]);
        let best = |promotions: &[&Promotion]| apply(&scene(&items), promotions).unwrap().by_item;
        assert_eq!(best(&[&small, &big]), [2_000]);
        assert_eq!(best(&[&small, &tiny]), [1_000]);
    }

    #[test]
    fn free_shipping_pays_for_standard_delivery_once() {
        let ids = Ids::counted();
        let (one, two) = (promotion(&ids, Effect::FreeShipping), promotion(&ids, Effect::FreeShipping));
        let items = items(&[(10_000, 1)]);
        let outcome = apply(&scene(&items), &[&one, &two]).unwrap();
        assert_eq!((outcome.shipping, outcome.by_item), (599, vec![0]));
    }

    #[test]
    fn a_promotion_keeps_to_its_products_its_least_subtotal_and_its_time() {
        let ids = Ids::counted();
        let category = ids.next();
        let other: ProductId = ids.next();
        let mut limited = promotion(&ids, percent(1_000));
        limited.terms.categories = vec![category];
        let categories = [category];
        let items = [
            Item { product: Some(other), categories: &[], unit: 100, quantity: 1 },
            Item { product: None, categories: &categories, unit: 200, quantity: 1 },
        ];
        assert_eq!(apply(&scene(&items), &[&limited]).unwrap().by_item, [0, 20]);
        limited.terms.min_subtotal = BTreeMap::from([(Currency::USD, 301)]);
        assert_eq!(apply(&scene(&items), &[&limited]).unwrap().by_item, [0, 0]);
        let now = Clock::manual(Timestamp(10)).now();
        for (starts, ends, limit, used, running) in [
            (10, None, None, 0, true),
            (11, None, None, 0, false),
            (0, Some(10), None, 0, false),
            (0, Some(11), None, 0, true),
            (0, None, Some(3), 2, true),
            (0, None, Some(3), 3, false),
        ] {
            let promotion = Promotion {
                starts_at: Timestamp(starts),
                ends_at: ends.map(Timestamp),
                usage_limit: limit,
                used,
                ..promotion(&ids, percent(1))
            };
            assert_eq!(promotion.is_running(now), running, "{starts} {ends:?} {limit:?} {used}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up_and_stay_below_their_weights(
            weights in prop::collection::vec(0i64..=1_000_000_000_000, 1..40), share in 0u32..=1_000
        ) {
            let sum: i64 = weights.iter().sum();
            let amount = i64::try_from(i128::from(sum) * i128::from(share) / 1_000).unwrap();
            let parts = distribute(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), if sum == 0 { 0 } else { amount });
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*part >= 0 && part <= weight);
            }
        }

        #[test]
        fn no_item_is_cut_below_nothing(
            prices in prop::collection::vec((0i64..=1_000_000, 1i64..=999), 1..20),
            points in 0i64..=12_000, amount in 0i64..=10_000_000, buy in 0i64..4, get in 0i64..4
        ) {
            let ids = Ids::counted();
            let all = [
                promotion(&ids, percent(points)),
                promotion(&ids, Effect::BuyGet { buy, get }),
                promotion(&ids, fixed(amount)),
                promotion(&ids, Effect::FreeShipping),
                Promotion { exclusive: true, ..promotion(&ids, percent(points / 2)) },
            ];
            let items = items(&prices);
            let outcome = apply(&scene(&items), &all.iter().collect::<Vec<_>>()).unwrap();
            for (item, cut) in items.iter().zip(&outcome.by_item) {
                prop_assert!((0..=item.unit * item.quantity).contains(cut));
            }
            let applied: i64 = outcome.applications.iter().map(|a| a.amount_minor).sum();
            prop_assert_eq!(applied, outcome.by_item.iter().sum::<i64>() + outcome.shipping);
        }
    }
}
