//! Changes that a buyer makes to a cart.

use std::collections::HashMap;
use std::sync::Arc;

use auth::Viewer;
use common::id::{AddressId, CartId, VariantId};
use common::{Failure, Fault, FaultCode, Timestamp, settle};
use database::{ScopedFutureExt, Tx};
use events::calls::users::ReadAddress;
use serde::Serialize;
use subgraph::idempotency::{Key, Replay};

use super::{Carts, save, save_lines};
use crate::domain::{
    Address, Basket, Cart, CartState, CodeProblem, LineChange, LineWanted, Offer, Priced, Promotion, Refusal,
    Warning, check_email, quote,
};
use crate::entity::{cart, line};

/// Most promotion codes of a cart.
const MOST_CODES: usize = 10;

/// A change to a cart.
#[derive(Debug, Clone)]
pub struct Request {
    pub cart: CartId,
    /// The version that the buyer saw.
    pub expected_version: Option<i32>,
    /// The idempotency key.
    pub key: Option<String>,
    pub edit: Edit,
}

/// What is to be changed.
#[derive(Debug, Clone, Serialize)]
pub enum Edit {
    /// Adds variants.
    Add(Vec<LineWanted>),
    /// Sets quantities of lines.
    Update(Vec<LineChange>),
    /// Sets the buyer's e-mail address.
    Buyer(String),
    /// Sets addresses.
    Address(Box<AddressEdit>),
    /// Chooses a delivery option.
    Delivery(String),
    /// Sets the promotion codes.
    Codes(Vec<String>),
}

/// Addresses to be set; what is not given stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AddressEdit {
    /// An address of the buyer's address book, to send the goods to.
    pub from_book: Option<AddressId>,
    /// Where to send the goods.
    pub shipping: Option<Address>,
    /// Where to send the bill.
    pub billing: Option<Address>,
}

/// A cart after a change.
#[derive(Debug, Clone)]
pub struct Edited {
    pub priced: Priced,
    pub warnings: Vec<Warning>,
    /// What is wrong with some of the codes, where codes were set.
    pub problems: Vec<CodeProblem>,
}

impl Edited {
    /// A cart to which nothing happened.
    pub fn unchanged(priced: Priced) -> Self {
        Self { priced, warnings: Vec::new(), problems: Vec::new() }
    }
}

/// Somebody else has changed the cart, or sent the same request, since it was read.
struct Outdated;

/// What the transaction of a change needs.
struct Editing<'a> {
    viewer: &'a Viewer,
    request: &'a Request,
    key: Option<Key>,
    promotions: Arc<Vec<Promotion>>,
}

impl Carts {
    /// Changes a cart on the viewer's behalf.
    pub async fn edit(
        &self,
        viewer: &Viewer,
        mut request: Request,
    ) -> Result<Result<Edited, Refusal>, Fault> {
        if let Edit::Address(address) = &mut request.edit
            && let Some(id) = address.from_book
        {
            match self.address_of_book(viewer, id).await? {
                Some(found) => address.shipping = Some(found),
                None => return Ok(Err(Refusal::UnknownAddress)),
            }
        }
        let key = match &request.key {
            Some(key) => {
                // The cart is the actor: a guest who logs in between two sendings is still the same buyer.
                let asked = (request.expected_version, &request.edit);
                Some(Key::new("cart edit", &request.cart.to_string(), key, &asked)?)
            }
            None => None,
        };
        let editing = Editing { viewer, request: &request, key, promotions: self.promotions().await? };
        let edited = match self.edit_unlocked(&editing).await? {
            Some(edited) => edited,
            None => {
                let database = &self.ports.database;
                settle(database.transaction(|tx| self.edit_in(tx, &editing).scope_boxed()).await)?
            }
        };
        if edited.is_ok() {
            self.announce(request.cart);
        }
        Ok(edited)
    }

    /// Changes a cart that is read without a lock, and writes it only if nobody has changed it meanwhile; `None` where
    /// somebody has. One buyer fills a cart, so mostly nobody has, and the writers' turn is short or not needed at all.
    async fn edit_unlocked(&self, editing: &Editing<'_>) -> Result<Option<Result<Edited, Refusal>>, Fault> {
        let (request, database) = (editing.request, &self.ports.database);
        let variants = request.edit.variants();
        let found = line::whole_cart(database.read(), editing.viewer, request.cart, &variants).await?;
        let edited = match found {
            Some((cart, lines, offers)) => self.apply(Basket { cart, lines }, offers, editing)?,
            None => Err(Refusal::CartNotFound),
        };
        let (before, edited) = match (edited, &editing.key) {
            (Ok(edited), _) => edited,
            (Err(refusal), None) => return Ok(Some(Err(refusal))),
            // It may have been done before, and be refused because of that.
            (Err(_), Some(_)) => return Ok(None),
        };
        let after = &edited.priced.basket;
        if editing.key.is_none() && after.lines == before.lines {
            let written = *after == before || self.replace_alone(&before.cart, &after.cart).await?;
            return Ok(written.then_some(Ok(edited)));
        }
        let (before, after) = (&before, after);
        let written =
            database.transaction(|tx| self.replace_in(tx, editing, before, after).scope_boxed()).await;
        match settle(written)? {
            Ok(()) => Ok(Some(Ok(edited))),
            Err(Outdated) => Ok(None),
        }
    }

    /// Writes a cart over what was read, in a statement by itself; says whether that was still there.
    pub(super) async fn replace_alone(&self, before: &Cart, after: &Cart) -> Result<bool, Fault> {
        match cart::replace(self.ports.database.schema(), before, after).await {
            // A transaction would be tried anew: the locked way is one.
            Err(fault) if fault.code == FaultCode::Conflict => Ok(false),
            written => written,
        }
    }

    async fn replace_in(
        &self,
        tx: &Tx,
        editing: &Editing<'_>,
        before: &Basket,
        after: &Basket,
    ) -> Result<(), Failure<Outdated>> {
        if let Some(key) = &editing.key
            && !matches!(key.claim_with(tx, self.now(), &editing.request.cart).await?, Replay::New)
        {
            return Err(Failure::Refused(Outdated));
        }
        if after == before {
            return Ok(());
        }
        if !cart::replace(tx, &before.cart, &after.cart).await? {
            return Err(Failure::Refused(Outdated));
        }
        Ok(save_lines(tx, before, after).await?)
    }

    async fn edit_in(&self, tx: &Tx, editing: &Editing<'_>) -> Result<Edited, Failure<Refusal>> {
        let (request, now) = (editing.request, self.now());
        if let Some(key) = &editing.key {
            match key.claim_with(tx, now, &request.cart).await? {
                Replay::New => {}
                Replay::Done(cart) => {
                    return self.replay(tx, editing.viewer, cart, &editing.promotions).await;
                }
                Replay::Reused => return Err(Failure::Refused(Refusal::KeyReused)),
            }
        }
        let row = cart::lock(tx, editing.viewer, request.cart).await?;
        let cart = Cart::try_from(row.ok_or(Failure::Refused(Refusal::CartNotFound))?)?;
        let (lines, offers) = line::of_cart_and_offers(tx, cart.id, &request.edit.variants()).await?;
        let edited = self.apply(Basket { cart, lines }, offers, editing)?;
        let (before, edited) = edited.map_err(Failure::Refused)?;
        if edited.priced.basket != before {
            save(tx, &before, &edited.priced.basket).await?;
        }
        Ok(edited)
    }

    /// What becomes of a cart by the change, and what it was.
    fn apply(
        &self,
        before: Basket,
        offers: Vec<Arc<Offer>>,
        editing: &Editing<'_>,
    ) -> Result<Result<(Basket, Edited), Refusal>, Fault> {
        let (request, promotions, now) = (editing.request, &editing.promotions, self.now());
        if let Err(refusal) = before.cart.check_open(request.expected_version) {
            return Ok(Err(refusal));
        }
        let offers = offers.into_iter().map(|offer| (offer.variant, offer)).collect();
        let mut after = before.clone();
        after.cart.state = CartState::Active;
        let mut warnings = after.refresh(now);
        let problems = match self.change(&mut after, &request.edit, &offers, promotions) {
            Ok(problems) => problems,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut priced = self.finish(after, &mut warnings, promotions, now)?;
        if priced.basket != before {
            priced.basket.cart.version += 1;
            priced.basket.cart.updated_at = now;
        }
        Ok(Ok((before, Edited { priced, warnings, problems })))
    }

    /// The cart of a request that was done before, as it is now.
    pub(super) async fn replay(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        id: CartId,
        promotions: &[Promotion],
    ) -> Result<Edited, Failure<Refusal>> {
        let row = cart::by_ids(tx, viewer, vec![id]).await?.pop();
        let cart = Cart::try_from(row.ok_or(Failure::Refused(Refusal::CartNotFound))?)?;
        let lines = line::of_carts(tx, &[id]).await?.into_iter().map(|(_, line)| line).collect();
        Ok(Edited::unchanged(self.price(Basket { cart, lines }, promotions)?))
    }

    /// Prices a changed cart, drops codes that apply no more, and warns.
    pub(super) fn finish(
        &self,
        mut basket: Basket,
        warnings: &mut Vec<Warning>,
        promotions: &[Promotion],
        now: Timestamp,
    ) -> Result<Priced, Fault> {
        let out_of_range = || Fault::internal("a total is out of range");
        let first = quote(&basket, promotions, now).ok_or_else(out_of_range)?;
        let pruned = basket.prune_codes(&first);
        warnings.extend(pruned);
        warnings.extend(basket.drift(now));
        // A code that took nothing off leaves the totals as they are.
        Ok(Priced { basket, quote: first })
    }

    fn change(
        &self,
        basket: &mut Basket,
        edit: &Edit,
        offers: &HashMap<VariantId, Arc<Offer>>,
        promotions: &[Promotion],
    ) -> Result<Vec<CodeProblem>, Refusal> {
        let now = self.now();
        match edit {
            Edit::Add(wanted) => basket.add(wanted, offers, now, &self.ports.ids)?,
            Edit::Update(changes) => basket.update(changes)?,
            Edit::Buyer(email) => basket.cart.email = Some(check_email(email)?),
            Edit::Address(edit) => set_addresses(&mut basket.cart, edit)?,
            Edit::Delivery(option) => {
                let options = quote(basket, promotions, now).map(|quote| quote.options).unwrap_or_default();
                if !options.iter().any(|known| known.id == option) {
                    return Err(Refusal::UnknownDelivery);
                }
                basket.cart.delivery_option = Some(option.clone());
            }
            Edit::Codes(codes) if codes.len() > MOST_CODES => return Err(Refusal::TooManyCodes),
            Edit::Codes(codes) => return Ok(set_codes(basket, codes, promotions, now)),
        }
        Ok(Vec::new())
    }

    async fn address_of_book(&self, viewer: &Viewer, address: AddressId) -> Result<Option<Address>, Fault> {
        let Some(user) = viewer.user_id() else { return Ok(None) };
        let found = self.ports.peers.ask(self.ports.name, &ReadAddress { address, user }).await?;
        Ok(found.map(Address::from))
    }
}

fn set_addresses(cart: &mut Cart, edit: &AddressEdit) -> Result<(), Refusal> {
    if edit.shipping.is_none() && edit.billing.is_none() {
        return Err(Refusal::AddressMissing);
    }
    if let Some(shipping) = &edit.shipping {
        cart.country.clone_from(&shipping.country);
        cart.shipping_address = Some(shipping.clone());
    }
    if let Some(billing) = &edit.billing {
        cart.billing_address = Some(billing.clone());
    }
    Ok(())
}

/// Sets the codes that are good and says what is wrong with the others. Where none is good the cart keeps the codes it
/// has: a misspelt code costs nobody a discount.
fn set_codes(
    basket: &mut Basket,
    codes: &[String],
    promotions: &[Promotion],
    now: Timestamp,
) -> Vec<CodeProblem> {
    let mut problems = Vec::new();
    let mut good: Vec<String> = Vec::new();
    for (index, entered) in codes.iter().enumerate() {
        let code = entered.trim().to_uppercase();
        match promotions.iter().find(|promotion| promotion.code.as_deref() == Some(code.as_str())) {
            None => problems.push(CodeProblem::Unknown { index, code: entered.clone() }),
            Some(promotion) if !promotion.is_running(now) => {
                let reason = "it has not begun or is used up";
                problems.push(CodeProblem::NotApplicable { index, code: entered.clone(), reason });
            }
            Some(_) if good.contains(&code) => {}
            Some(_) => good.push(code),
        }
    }
    let before = std::mem::replace(&mut basket.cart.codes, good);
    let applied: Vec<String> = quote(basket, promotions, now)
        .map(|quote| quote.applications.into_iter().filter_map(|applied| applied.code).collect())
        .unwrap_or_default();
    for (index, entered) in codes.iter().enumerate() {
        let code = entered.trim().to_uppercase();
        if basket.cart.codes.contains(&code) && !applied.contains(&code) {
            let reason = "it takes nothing off what is in the cart, or a better offer is applied already";
            problems.push(CodeProblem::NotApplicable { index, code: entered.clone(), reason });
        }
    }
    basket.cart.codes.retain(|code| applied.contains(code));
    if basket.cart.codes.is_empty() && !codes.is_empty() {
        basket.cart.codes = before;
    }
    problems
}

impl Edit {
    /// The variants whose offers are needed.
    fn variants(&self) -> Vec<VariantId> {
        match self {
            Self::Add(wanted) => wanted.iter().map(|wanted| wanted.variant).collect(),
            _ => Vec::new(),
        }
    }
}
