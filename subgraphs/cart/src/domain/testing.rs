//! Carts and offers for tests of the rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Currency, Ids, Timestamp};

use super::{Basket, Cart, CartState, Line, Offer, OfferDetails, TaxClass};

/// An offer at a price in every currency.
pub fn offer(ids: &Ids, minor: i64) -> Arc<Offer> {
    let prices = super::CURRENCIES.iter().map(|currency| (*currency, minor)).collect();
    let titles = BTreeMap::from([("en".to_owned(), "Oak table".to_owned())]);
    Arc::new(Offer {
        variant: ids.next(),
        product: ids.next(),
        version: 1,
        sku: "OAK-1".into(),
        tax_class: TaxClass::Standard,
        active: true,
        weight_grams: 500,
        details: OfferDetails { titles, prices, ..OfferDetails::default() },
    })
}

/// A guest's cart of the US channel with so many of each offer, at prices that do not hold any more.
pub fn basket(ids: &Ids, wanted: &[(&Arc<Offer>, i32)]) -> Basket {
    let cart = Cart {
        id: ids.next(),
        version: 1,
        state: CartState::Active,
        owner: None,
        channel: "us".into(),
        currency: Currency::USD,
        country: "US".into(),
        locale: "en".into(),
        email: None,
        shipping_address: None,
        billing_address: None,
        codes: Vec::new(),
        delivery_option: None,
        attempt: None,
        frozen: None,
        merged_into: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    };
    let lines = wanted.iter().zip(1..).map(|((offer, quantity), position)| Line {
        id: ids.next(),
        position,
        variant: offer.variant,
        quantity: *quantity,
        locked_minor: offer.price(Currency::USD).unwrap_or(0),
        locked_until: Timestamp(0),
        offer: Some(Arc::clone(offer)),
    });
    Basket { cart, lines: lines.collect() }
}
