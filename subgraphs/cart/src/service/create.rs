//! Making a cart.

use std::collections::HashMap;
use std::sync::Arc;

use auth::Viewer;
use common::id::CartId;
use common::{Currency, Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use subgraph::idempotency::{Key, Replay};

use super::edit::Edited;
use super::{Carts, insert};
use crate::domain::{Basket, CURRENCIES, Cart, CartState, LineWanted, Offer, Promotion, Refusal};
use crate::entity::{offer, shopper};

/// A cart to be made.
#[derive(Debug, Clone)]
pub struct NewCart {
    pub lines: Vec<LineWanted>,
    /// Where it will be sent; the request's country where not given.
    pub country: Option<String>,
    /// What prices are in; the request's currency where not given.
    pub currency: Option<Currency>,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Carts {
    /// Makes a cart: the viewer's, or a guest's.
    pub async fn create(&self, viewer: &Viewer, new: &NewCart) -> Result<Result<Edited, Refusal>, Fault> {
        let currency = new.currency.unwrap_or(viewer.context.currency);
        if !CURRENCIES.contains(&currency) {
            return Ok(Err(Refusal::UnknownCurrency(currency)));
        }
        let key = match &new.key {
            Some(key) => {
                let asked = (&new.lines, &new.country, new.currency);
                Some(Key::new("cartCreate", &viewer.actor_name(), key, &asked)?)
            }
            None => None,
        };
        let promotions = self.promotions().await?;
        let created = self
            .ports
            .database
            .transaction(|tx| self.create_in(tx, viewer, new, key.as_ref(), &promotions).scope_boxed())
            .await;
        settle(created)
    }

    async fn create_in(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        new: &NewCart,
        key: Option<&Key>,
        promotions: &[Promotion],
    ) -> Result<Edited, Failure<Refusal>> {
        let now = self.now();
        let mut cart = self.empty(viewer);
        cart.currency = new.currency.unwrap_or(cart.currency);
        cart.country = new.country.clone().unwrap_or(cart.country);
        if let Some(key) = key {
            match key.claim_with::<CartId>(tx, now, &cart.id).await? {
                Replay::New => {}
                Replay::Done(id) => return self.replay(tx, viewer, id, promotions).await,
                Replay::Reused => return Err(Failure::Refused(Refusal::KeyReused)),
            }
        }
        if let Some(user) = cart.owner {
            cart.email = shopper::email_of(tx, user).await?;
        }
        let mut basket = Basket { cart, lines: Vec::new() };
        if !new.lines.is_empty() {
            let variants = new.lines.iter().map(|wanted| wanted.variant).collect();
            let mut offers = HashMap::new();
            for row in offer::by_ids(tx, variants).await? {
                let offer = Offer::try_from(row)?;
                offers.insert(offer.variant, Arc::new(offer));
            }
            basket.add(&new.lines, &offers, now, &self.ports.ids).map_err(Failure::Refused)?;
        }
        insert(tx, &basket).await?;
        let mut warnings = Vec::new();
        let priced = self.finish(basket, &mut warnings, promotions, now)?;
        Ok(Edited { priced, warnings, problems: Vec::new() })
    }

    /// A new empty cart where the viewer stands.
    pub(super) fn empty(&self, viewer: &Viewer) -> Cart {
        let now = self.now();
        Cart {
            id: self.ports.ids.next(),
            version: 1,
            state: CartState::Active,
            owner: viewer.user_id(),
            channel: viewer.context.channel.clone(),
            currency: viewer.context.currency,
            country: viewer.context.country.clone(),
            locale: viewer.context.locale.clone(),
            email: None,
            shipping_address: None,
            billing_address: None,
            codes: Vec::new(),
            delivery_option: None,
            attempt: None,
            frozen: None,
            merged_into: None,
            created_at: now,
            updated_at: now,
        }
    }
}
