//! A cart as a checkout holds it: nothing in it changes any more, whatever the catalogue does.

use common::Money;
use events::calls::cart::{CartSnapshot, CartSnapshotLine};
use serde::{Deserialize, Serialize};

use super::{Basket, Quote};

/// What is kept of a cart while a checkout is under way and after it was ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frozen {
    /// What the checkout was given.
    pub snapshot: CartSnapshot,
    /// What the cart shows.
    pub quote: Quote,
}

// Two carts frozen alike show alike: the snapshot is made of the quote and the rest of the cart.
impl PartialEq for Frozen {
    fn eq(&self, other: &Self) -> bool {
        self.quote == other.quote
    }
}

impl Eq for Frozen {}

/// The cart as a checkout needs it, or what is missing, for the buyer to read.
pub fn snapshot(basket: &Basket, quote: &Quote) -> Result<CartSnapshot, String> {
    let cart = &basket.cart;
    if basket.lines.is_empty() {
        return Err("The cart is empty.".to_owned());
    }
    if let Some(gone) = basket.lines.iter().find(|line| !line.is_sold(&cart.channel, cart.currency)) {
        return Err(format!("{} is no longer sold: take it out of the cart.", gone.title(&cart.locale)));
    }
    let email = cart.email.clone().ok_or("The cart lacks an e-mail address.")?;
    let address = cart.shipping_address.as_ref().and_then(super::Address::postal);
    let shipping_address = address.ok_or("The cart lacks a complete shipping address.")?;
    let delivery_option = cart.delivery_option.clone().ok_or("The cart lacks a delivery option.")?;
    let shipping = quote.shipping.ok_or("The cart lacks a delivery option that goes to its address.")?;
    let money = |minor| Money::new(minor, quote.currency);
    let lines = basket.lines.iter().zip(&quote.lines).filter_map(|(line, quoted)| {
        let offer = line.offer.as_ref()?;
        Some(CartSnapshotLine {
            id: line.id,
            variant: line.variant,
            product: offer.product,
            sku: offer.sku.clone(),
            title: offer.title(&cart.locale).to_owned(),
            quantity: line.quantity,
            unit_price: money(quoted.unit),
            discount: money(quoted.discount),
            tax: money(quoted.tax),
            total: money(quoted.total),
        })
    });
    Ok(CartSnapshot {
        id: cart.id,
        version: cart.version,
        currency: quote.currency,
        locale: cart.locale.clone(),
        email,
        shipping_address,
        billing_address: cart.billing_address.as_ref().and_then(super::Address::postal),
        delivery_option,
        lines: lines.collect(),
        subtotal: money(quote.subtotal),
        discount: money(quote.discount),
        shipping: money(shipping),
        tax: money(quote.tax),
        tax_included: quote.tax_included,
        total: money(quote.total),
    })
}
