//! What becomes of a guest's cart when its buyer logs in and has one already.

use common::{Ids, Timestamp};
use serde::Serialize;

use super::line::LARGEST_LINE;
use super::{Basket, LONGEST_CART, Line, Warning, WarningCode};

/// Whose quantity counts where both carts have a variant. What only one of them has stays in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MergePolicy {
    /// Both together, up to the limit.
    SumCapped,
    /// The larger one.
    Max,
    /// The guest's.
    KeepGuest,
    /// The customer's.
    KeepCustomer,
}

impl MergePolicy {
    fn quantity(self, guest: i32, customer: i32) -> i32 {
        match self {
            Self::SumCapped => guest.saturating_add(customer),
            Self::Max => guest.max(customer),
            Self::KeepGuest => guest,
            Self::KeepCustomer => customer,
        }
    }
}

/// Takes the guest's lines into the customer's cart, with what else the customer's lacks.
pub fn merge(
    customer: &mut Basket,
    guest: &Basket,
    policy: MergePolicy,
    now: Timestamp,
    ids: &Ids,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if customer.lines.is_empty() {
        customer.cart.currency = guest.cart.currency;
        customer.cart.channel.clone_from(&guest.cart.channel);
    }
    for line in &guest.lines {
        match customer.lines.iter_mut().find(|own| own.variant == line.variant) {
            Some(own) => own.quantity = policy.quantity(line.quantity, own.quantity),
            None => match taken_over(customer, guest, line, now, ids) {
                Some(line) => customer.lines.push(line),
                None => {
                    let message = format!("{} could not be taken over.", line.title(&customer.cart.locale));
                    warnings.push(Warning { code: WarningCode::LineRemoved, message, line: None });
                }
            },
        }
    }
    for line in customer.lines.iter_mut().filter(|line| line.quantity > LARGEST_LINE) {
        line.quantity = LARGEST_LINE;
        let message = format!("{} was limited to {LARGEST_LINE}.", line.title(&customer.cart.locale));
        warnings.push(Warning::of_line(WarningCode::QuantityClamped, line.id, message));
    }
    take_over_details(customer, guest);
    if !guest.lines.is_empty() {
        let message = "The articles of the cart from before you logged in were added.".to_owned();
        warnings.push(Warning { code: WarningCode::MergedFromGuest, message, line: None });
    }
    warnings
}

/// The guest's line as one of the customer's: at the locked price in the same currency, else at the list price.
fn taken_over(customer: &Basket, guest: &Basket, line: &Line, now: Timestamp, ids: &Ids) -> Option<Line> {
    let currency = customer.cart.currency;
    if customer.lines.len() >= LONGEST_CART || !line.is_sold(&customer.cart.channel, currency) {
        return None;
    }
    let mut taken = Line { id: ids.next(), position: customer.next_position(), ..line.clone() };
    if currency != guest.cart.currency {
        taken.lock(line.list_minor(currency)?, now);
    }
    Some(taken)
}

fn take_over_details(customer: &mut Basket, guest: &Basket) {
    let (own, other) = (&mut customer.cart, &guest.cart);
    if own.shipping_address.is_none() {
        own.shipping_address.clone_from(&other.shipping_address);
        own.country.clone_from(&other.country);
    }
    if own.billing_address.is_none() {
        own.billing_address.clone_from(&other.billing_address);
    }
    if own.delivery_option.is_none() {
        own.delivery_option.clone_from(&other.delivery_option);
    }
    if own.email.is_none() {
        own.email.clone_from(&other.email);
    }
    for code in &other.codes {
        if !own.codes.contains(code) {
            own.codes.push(code.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{basket, offer};

    #[test]
    fn quantities_follow_the_policy_and_nothing_is_lost() {
        use MergePolicy::{KeepCustomer, KeepGuest, Max, SumCapped};
        for (policy, guest, customer, expected) in [
            (SumCapped, 2, 3, 5),
            (SumCapped, 600, 600, 999),
            (Max, 2, 3, 3),
            (Max, 4, 3, 4),
            (KeepGuest, 2, 3, 2),
            (KeepCustomer, 2, 3, 3),
        ] {
            let ids = Ids::counted();
            let (shared, mine, theirs) = (offer(&ids, 100), offer(&ids, 200), offer(&ids, 300));
            let mut own = basket(&ids, &[(&shared, customer), (&mine, 1)]);
            let other = basket(&ids, &[(&shared, guest), (&theirs, 1)]);
            let warnings = merge(&mut own, &other, policy, Timestamp(0), &ids);
            let quantities: Vec<i32> = own.lines.iter().map(|line| line.quantity).collect();
            assert_eq!(quantities, [expected, 1, 1], "{policy:?}");
            let clamped = warnings.iter().any(|warning| warning.code == WarningCode::QuantityClamped);
            assert_eq!(clamped, guest == 600);
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let ids = Ids::counted();
        let many: Vec<_> = (0..LONGEST_CART).map(|_| offer(&ids, 100)).collect();
        let full: Vec<_> = many.iter().map(|offer| (offer, 1)).collect();
        let extra = offer(&ids, 100);
        let mut own = basket(&ids, &full);
        let other = basket(&ids, &[(&extra, 1)]);
        let warnings = merge(&mut own, &other, MergePolicy::SumCapped, Timestamp(0), &ids);
        assert_eq!(own.lines.len(), LONGEST_CART);
        assert!(warnings.iter().any(|warning| warning.code == WarningCode::LineRemoved));
    }
}
