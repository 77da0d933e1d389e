//! What a shopper may be promised.

use async_graphql::Enum;
use common::Timestamp;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// So many or fewer are few.
const FEW: i64 = 5;
/// Up to so many, shoppers are told of every change; above, only of changes of the status.
const TOLD: i64 = 10;
/// Most that one order may have of a variant.
const MOST_PER_ORDER: i64 = 99;

/// What happens when there is none left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum BackorderPolicy {
    /// It cannot be bought.
    #[sea_orm(string_value = "DENY")]
    Deny,
    /// It can be bought and is sent when there is some again.
    #[sea_orm(string_value = "ALLOW")]
    Allow,
    /// It can be bought before it appears.
    #[sea_orm(string_value = "PREORDER")]
    Preorder,
}

/// Whether a thing can be bought, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AvailabilityStatus {
    /// There are enough.
    InStock,
    /// There are few.
    LowStock,
    /// There is none; it can be bought and is sent when there is some again.
    Backorder,
    /// It has not appeared; it can be bought and is sent when it does.
    Preorder,
    /// There is none, and it cannot be bought.
    OutOfStock,
}

/// The rules for one variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether stock is counted at all.
    pub tracked: bool,
    /// What happens when there is none left.
    pub backorder: BackorderPolicy,
    /// So many are kept back: with this many left it counts as out of stock.
    pub out_of_stock_threshold: i32,
    /// When more is expected.
    pub restock_at: Option<Timestamp>,
}

/// What a shopper is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// In a word.
    pub status: AvailabilityStatus,
    /// How many can be promised; `None` where nobody counts.
    pub quantity: Option<i64>,
    /// Most that one order may have.
    pub max_order_quantity: i64,
    /// When more is expected, where there is none.
    pub restock_at: Option<Timestamp>,
}

impl Policy {
    /// Whether more may be promised than is there.
    pub fn may_oversell(&self) -> bool {
        !self.tracked || self.backorder != BackorderPolicy::Deny
    }

    /// How many can be promised of so many that are there and promised to nobody.
    pub fn sellable(&self, free: i64) -> i64 {
        (free - i64::from(self.out_of_stock_threshold)).max(0)
    }

    /// What a shopper is told where so many are there and promised to nobody.
    pub fn availability(&self, free: i64) -> Availability {
        let sellable = self.sellable(free);
        let status = match (self.tracked, sellable, self.backorder) {
            (false, _, _) => AvailabilityStatus::InStock,
            (true, 1..=FEW, _) => AvailabilityStatus::LowStock,
            (true, 1.., _) => AvailabilityStatus::InStock,
            (true, _, BackorderPolicy::Deny) => AvailabilityStatus::OutOfStock,
            (true, _, BackorderPolicy::Allow) => AvailabilityStatus::Backorder,
            (true, _, BackorderPolicy::Preorder) => AvailabilityStatus::Preorder,
        };
        let most = if self.may_oversell() { MOST_PER_ORDER } else { sellable.min(MOST_PER_ORDER) };
        let waits = self.tracked && sellable == 0;
        Availability {
            status,
            quantity: self.tracked.then_some(sellable),
            max_order_quantity: most,
            restock_at: self.restock_at.filter(|_| waits),
        }
    }
}

impl Availability {
    /// Whether it can be bought now.
    pub fn is_available(&self) -> bool {
        self.status != AvailabilityStatus::OutOfStock
    }

    fn rank(&self) -> (u8, i64) {
        let status = match self.status {
            AvailabilityStatus::InStock => 4,
            AvailabilityStatus::LowStock => 3,
            AvailabilityStatus::Backorder => 2,
            AvailabilityStatus::Preorder => 1,
            AvailabilityStatus::OutOfStock => 0,
        };
        (status, self.quantity.unwrap_or(i64::MAX))
    }
}

/// The best of several: what a product is said to be, of its variants.
pub fn best(all: impl IntoIterator<Item = Availability>) -> Option<Availability> {
    all.into_iter().max_by_key(Availability::rank)
}

/// Whether shoppers are told of a change of what is free from `before` to `after`.
pub fn is_visible_change(policy: &Policy, before: i64, after: i64) -> bool {
    let (before, after) = (policy.availability(before), policy.availability(after));
    let few = before.quantity.min(after.quantity).is_some_and(|quantity| quantity <= TOLD);
    before.status != after.status || (few && before.quantity != after.quantity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(tracked: bool, backorder: BackorderPolicy, threshold: i32) -> Policy {
        Policy { tracked, backorder, out_of_stock_threshold: threshold, restock_at: Some(Timestamp(1)) }
    }

    #[test]
    fn a_shopper_is_told_in_a_word() {
        use AvailabilityStatus::{Backorder, InStock, LowStock, OutOfStock, Preorder};
        use BackorderPolicy::{Allow, Deny, Preorder as Pre};
        for (tracked, backorder, threshold, free, status, most) in [
            (true, Deny, 0, 100, InStock, 99),
            (true, Deny, 0, 6, InStock, 6),
            (true, Deny, 0, 5, LowStock, 5),
            (true, Deny, 0, 1, LowStock, 1),
            (true, Deny, 0, 0, OutOfStock, 0),
            (true, Deny, 3, 3, OutOfStock, 0),
            (true, Deny, 3, 4, LowStock, 1),
            (true, Allow, 0, 0, Backorder, 99),
            (true, Allow, 0, -7, Backorder, 99),
            (true, Allow, 0, 2, LowStock, 99),
            (true, Pre, 0, 0, Preorder, 99),
            (false, Deny, 0, 0, InStock, 99),
        ] {
            let told = policy(tracked, backorder, threshold).availability(free);
            let case = format!("{tracked} {backorder:?} {threshold} {free}");
            assert_eq!((told.status, told.max_order_quantity), (status, most), "{case}");
            assert_eq!(told.restock_at.is_some(), tracked && free <= i64::from(threshold), "{case}");
        }
    }

    #[test]
    fn a_product_is_as_available_as_its_best_variant() {
        let counted = policy(true, BackorderPolicy::Deny, 0);
        let told = best([0, 3, 40, 8].map(|free| counted.availability(free))).unwrap();
        assert_eq!((told.status, told.quantity), (AvailabilityStatus::InStock, Some(40)));
        assert_eq!(best([]), None);
    }

    #[test]
    fn changes_are_told_when_the_word_changes_or_few_are_left() {
        let counted = policy(true, BackorderPolicy::Deny, 0);
        for (before, after, told) in
            [(100, 99, false), (11, 10, true), (6, 5, true), (1, 0, true), (0, 0, false), (0, 50, true)]
        {
            assert_eq!(is_visible_change(&counted, before, after), told, "{before} {after}");
        }
        assert!(!is_visible_change(&policy(false, BackorderPolicy::Deny, 0), 1, 0));
    }
}
