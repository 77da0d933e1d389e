//! A cart with its lines, and what a buyer may do to it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::id::{CartId, CartLineId, CheckoutAttemptId, UserId, VariantId};
use common::{Currency, Ids, Money, Timestamp};
use serde::Serialize;

use super::line::LARGEST_LINE;
use super::{Address, CartState, Frozen, LONGEST_CART, Line, Offer, Quote, Refusal, Warning, WarningCode};

/// A cart without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    pub id: CartId,
    /// Rises with every change by the buyer.
    pub version: i32,
    pub state: CartState,
    /// Whose it is; a guest's belongs to whoever knows its id.
    pub owner: Option<UserId>,
    pub channel: String,
    pub currency: Currency,
    /// Where it would be sent while there is no address.
    pub country: String,
    pub locale: String,
    pub email: Option<String>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    /// Promotion codes in upper case.
    pub codes: Vec<String>,
    pub delivery_option: Option<String>,
    /// The checkout that it is frozen for or was ordered by.
    pub attempt: Option<CheckoutAttemptId>,
    pub frozen: Option<Box<Frozen>>,
    pub merged_into: Option<CartId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Cart {
    /// The country that it is sent to.
    pub fn destination(&self) -> &str {
        self.shipping_address.as_ref().map_or(&self.country, |address| &address.country)
    }

    /// Refuses unless the buyer may change it, having seen the version that is there. Whoever changes an abandoned one has
    /// come back for it.
    pub fn check_open(&self, expected_version: Option<i32>) -> Result<(), Refusal> {
        match self.state {
            open if open.is_open() => {}
            CartState::Frozen => return Err(Refusal::Frozen),
            closed => return Err(Refusal::Closed(closed)),
        }
        match expected_version {
            Some(expected) if expected != self.version => {
                Err(Refusal::VersionConflict { current: self.version })
            }
            _ => Ok(()),
        }
    }
}

/// A cart with its lines, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    pub cart: Cart,
    pub lines: Vec<Line>,
}

/// A variant to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineWanted {
    pub variant: VariantId,
    pub quantity: i32,
}

/// A line to be changed; zero removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineChange {
    pub line: CartLineId,
    pub quantity: i32,
}

impl Basket {
    /// Adds variants, each into its line where there is one: all of them or none.
    pub fn add(
        &mut self,
        wanted: &[LineWanted],
        offers: &HashMap<VariantId, Arc<Offer>>,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<(), Refusal> {
        match wanted.len() {
            0 => return Err(Refusal::NoLines),
            1..=LONGEST_CART => {}
            _ => return Err(Refusal::TooManyLines),
        }
        for (index, wanted) in wanted.iter().enumerate() {
            if wanted.quantity < 1 {
                return Err(Refusal::BadQuantity(index));
            }
            match self.lines.iter().position(|line| line.variant == wanted.variant) {
                Some(at) => grow(&mut self.lines[at], wanted.quantity, index)?,
                None => {
                    let line = self.new_line(index, wanted, offers, now, ids)?;
                    self.lines.push(line);
                }
            }
        }
        if self.lines.len() > LONGEST_CART { Err(Refusal::TooManyLines) } else { Ok(()) }
    }

    fn new_line(
        &self,
        index: usize,
        wanted: &LineWanted,
        offers: &HashMap<VariantId, Arc<Offer>>,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Line, Refusal> {
        let offer = offers.get(&wanted.variant).ok_or(Refusal::UnknownVariant(index))?;
        if !offer.is_sold_in(&self.cart.channel) {
            return Err(Refusal::NotSold(index));
        }
        let price = offer.price(self.cart.currency).ok_or(Refusal::NoPrice(index, self.cart.currency))?;
        if wanted.quantity > LARGEST_LINE {
            return Err(Refusal::QuantityLimit { index, available: LARGEST_LINE, line: None });
        }
        let mut line = Line {
            id: ids.next(),
            position: self.next_position(),
            variant: wanted.variant,
            quantity: wanted.quantity,
            locked_minor: price,
            locked_until: now,
            offer: Some(Arc::clone(offer)),
        };
        line.lock(price, now);
        Ok(line)
    }

    /// Sets quantities; zero removes the line.
    pub fn update(&mut self, changes: &[LineChange]) -> Result<(), Refusal> {
        match changes.len() {
            0 => return Err(Refusal::NoLines),
            1..=LONGEST_CART => {}
            _ => return Err(Refusal::TooManyLines),
        }
        for (index, change) in changes.iter().enumerate() {
            let line = self.lines.iter_mut().find(|line| line.id == change.line);
            let line = line.ok_or(Refusal::UnknownLine(index))?;
            match change.quantity {
                i32::MIN..0 => return Err(Refusal::BadQuantity(index)),
                0..=LARGEST_LINE => line.quantity = change.quantity,
                _ => {
                    let limit =
                        Refusal::QuantityLimit { index, available: LARGEST_LINE, line: Some(line.id) };
                    return Err(limit);
                }
            }
        }
        self.lines.retain(|line| line.quantity > 0);
        Ok(())
    }

    /// Brings the cart up to date before a change: what is sold no more goes, and prices that held long enough follow
    /// the list.
    pub fn refresh(&mut self, now: Timestamp) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let Cart { channel, currency, locale, .. } = &self.cart;
        self.lines.retain(|line| {
            let sold = line.is_sold(channel, *currency);
            if !sold {
                let message = format!("{} is no longer sold and was removed.", line.title(locale));
                warnings.push(Warning::of_line(WarningCode::LineRemoved, line.id, message));
            }
            sold
        });
        for line in self.lines.iter_mut().filter(|line| !line.is_locked(now)) {
            let Some(price) = line.list_minor(*currency) else { continue };
            if price != line.locked_minor {
                let (old, new) = (Money::new(line.locked_minor, *currency), Money::new(price, *currency));
                let message = format!("{} now costs {new} {currency} instead of {old}.", line.title(locale));
                warnings.push(Warning::of_line(WarningCode::PriceChanged, line.id, message));
            }
            line.lock(price, now);
        }
        warnings
    }

    /// Warns of lines whose price still holds while the list price has changed.
    pub fn drift(&self, now: Timestamp) -> Vec<Warning> {
        let currency = self.cart.currency;
        let drifted = self.lines.iter().filter(|line| line.is_locked(now)).filter_map(|line| {
            let price = line.list_minor(currency).filter(|price| *price != line.locked_minor)?;
            let (held, new) = (Money::new(line.locked_minor, currency), Money::new(price, currency));
            let title = line.title(&self.cart.locale);
            let message = format!(
                "{title} now costs {new} {currency}; you still get it for {held} until {}.",
                line.locked_until
            );
            Some(Warning::of_line(WarningCode::PriceChanged, line.id, message))
        });
        drifted.collect()
    }

    /// Drops the codes that take nothing off any more, with a warning each; says whether there were any.
    pub fn prune_codes(&mut self, quote: &Quote) -> Vec<Warning> {
        let applied: HashSet<&str> =
            quote.applications.iter().filter_map(|application| application.code.as_deref()).collect();
        let mut warnings = Vec::new();
        self.cart.codes.retain(|code| {
            let stays = applied.contains(code.as_str());
            if !stays {
                let message = format!("The code {code} does not apply to this cart any more.");
                warnings.push(Warning { code: WarningCode::PromotionRemoved, message, line: None });
            }
            stays
        });
        warnings
    }

    /// Where a new line goes: behind all others.
    pub fn next_position(&self) -> i32 {
        self.lines.iter().map(|line| line.position).max().unwrap_or(0) + 1
    }

    /// How many articles there are.
    pub fn total_quantity(&self) -> i32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

fn grow(line: &mut Line, by: i32, index: usize) -> Result<(), Refusal> {
    let quantity = line.quantity.saturating_add(by);
    if quantity > LARGEST_LINE {
        let available = LARGEST_LINE - line.quantity;
        return Err(Refusal::QuantityLimit { index, available, line: Some(line.id) });
    }
    line.quantity = quantity;
    Ok(())
}
