//! What `orders` does with a cart during a checkout: freeze, thaw, complete. Each may be asked for again.

use auth::Viewer;
use common::id::{PromotionId, UserId};
use common::{Fault, Money};
use database::{ScopedFutureExt, Tx};
use events::calls::cart::{CartSnapshot, CompleteCart, FreezeCart, FreezeCartReply, ThawCart};
use events::calls::users::ReadEmail;

use super::Carts;
use crate::domain::{Application, Basket, Cart, CartState, Frozen, Promotion, Quote, quote, snapshot};
use crate::entity::{cart, line, promotion, shopper};

impl Carts {
    /// Freezes an active cart for a checkout attempt, if it is as the buyer saw it and complete.
    pub async fn freeze(&self, viewer: &Viewer, request: &FreezeCart) -> Result<FreezeCartReply, Fault> {
        let promotions = self.promotions().await?;
        let reply = match self.freeze_unlocked(viewer, request, &promotions).await? {
            Some(reply) => reply,
            None => {
                let database = &self.ports.database;
                let frozen = database
                    .transaction(|tx| self.freeze_in(tx, viewer, request, &promotions).scope_boxed())
                    .await;
                // It may have used some up, whatever came of it.
                self.memory.promotions.clear();
                frozen?
            }
        };
        if matches!(reply, FreezeCartReply::Frozen(_)) {
            self.announce(request.cart);
        }
        Ok(reply)
    }

    /// Freezes a cart that is read without a lock, if nobody has changed it meanwhile and nothing else is to be written;
    /// `None` where that is not so.
    async fn freeze_unlocked(
        &self,
        viewer: &Viewer,
        request: &FreezeCart,
        promotions: &[Promotion],
    ) -> Result<Option<FreezeCartReply>, Fault> {
        let database = &self.ports.database;
        let Some((before, lines, _)) = line::whole_cart(database.newest(), viewer, request.cart, &[]).await?
        else {
            return Ok(Some(FreezeCartReply::NotFound));
        };
        if let Some(reply) = as_it_is(&before, request) {
            return Ok(Some(reply));
        }
        let mut basket = Basket { cart: before.clone(), lines };
        if let (None, Some(user)) = (&basket.cart.email, basket.cart.owner) {
            basket.cart.email = self.email_of(user).await?;
        }
        let quote = quote(&basket, promotions, self.now()).ok_or_else(out_of_range)?;
        let limited = |used: &Application| {
            promotions.iter().any(|one| one.id == used.promotion && one.usage_limit.is_some())
        };
        if quote.applications.iter().any(limited) {
            return Ok(None);
        }
        let snapshot = match snapshot(&basket, &quote) {
            Ok(snapshot) => snapshot,
            Err(message) => return Ok(Some(FreezeCartReply::Incomplete { message })),
        };
        if snapshot.total != request.expected_total {
            return Ok(Some(FreezeCartReply::TotalMismatch {
                current_total: snapshot.total,
                current_version: before.version,
            }));
        }
        let frozen = frozen(basket.cart, request, &snapshot, quote);
        let written = self.replace_alone(&before, &frozen).await?;
        Ok(written.then(|| FreezeCartReply::Frozen(Box::new(snapshot))))
    }

    /// Where to write to a user. Of whoever registered a moment ago the event may not have come; `users` knows.
    async fn email_of(&self, user: UserId) -> Result<Option<String>, Fault> {
        let database = &self.ports.database;
        if let Some(known) = shopper::email_of(database.newest(), user).await? {
            return Ok(Some(known));
        }
        let Some(email) = self.ports.peers.ask(self.ports.name, &ReadEmail { user }).await? else {
            return Ok(None);
        };
        database
            .transaction(|tx| {
                let email = email.clone();
                async move { Ok::<_, Fault>(shopper::put(tx, user, email).await?) }.scope_boxed()
            })
            .await?;
        Ok(Some(email))
    }

    async fn freeze_in(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        request: &FreezeCart,
        promotions: &[Promotion],
    ) -> Result<FreezeCartReply, Fault> {
        let Some(row) = cart::lock(tx, viewer, request.cart).await? else {
            return Ok(FreezeCartReply::NotFound);
        };
        let before = Cart::try_from(row)?;
        if let Some(reply) = as_it_is(&before, request) {
            return Ok(reply);
        }
        let lines = line::of_carts(tx, &[before.id]).await?.into_iter().map(|(_, line)| line).collect();
        let mut basket = Basket { cart: before.clone(), lines };
        if let (None, Some(user)) = (&basket.cart.email, basket.cart.owner) {
            basket.cart.email = shopper::email_of(tx, user).await?;
        }
        self.freeze_basket(tx, &before, basket, request, promotions).await
    }

    async fn freeze_basket(
        &self,
        tx: &Tx,
        before: &Cart,
        basket: Basket,
        request: &FreezeCart,
        promotions: &[Promotion],
    ) -> Result<FreezeCartReply, Fault> {
        let quote = quote(&basket, promotions, self.now()).ok_or_else(out_of_range)?;
        let snapshot = match snapshot(&basket, &quote) {
            Ok(snapshot) => snapshot,
            Err(message) => return Ok(FreezeCartReply::Incomplete { message }),
        };
        let mismatch = |total: Money| FreezeCartReply::TotalMismatch {
            current_total: total,
            current_version: before.version,
        };
        if snapshot.total != request.expected_total {
            return Ok(mismatch(snapshot.total));
        }
        if let Some(spent) = self.take_promotions(tx, &quote.applications, promotions).await? {
            let left: Vec<Promotion> = promotions.iter().filter(|one| one.id != spent).cloned().collect();
            let again = crate::domain::quote(&basket, &left, self.now()).ok_or_else(out_of_range)?;
            return Ok(mismatch(Money::new(again.total, again.currency)));
        }
        cart::update(tx, before, &frozen(basket.cart, request, &snapshot, quote)).await?;
        Ok(FreezeCartReply::Frozen(Box::new(snapshot)))
    }

    /// Counts a use of each promotion that has a limit; all, or none and the one that is used up.
    async fn take_promotions(
        &self,
        tx: &Tx,
        applications: &[Application],
        promotions: &[Promotion],
    ) -> Result<Option<PromotionId>, Fault> {
        let is_limited = |id: &PromotionId| {
            promotions.iter().any(|promotion| promotion.id == *id && promotion.usage_limit.is_some())
        };
        let mut limited: Vec<PromotionId> =
            applications.iter().map(|application| application.promotion).filter(is_limited).collect();
        limited.sort();
        for (place, id) in limited.iter().enumerate() {
            if !promotion::take(tx, *id).await? {
                for taken in &limited[..place] {
                    promotion::give_back(tx, *taken).await?;
                }
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    /// Makes a cart that is frozen for this attempt active again.
    pub async fn thaw(&self, viewer: &Viewer, request: &ThawCart) -> Result<(), Fault> {
        let thawed = self
            .ports
            .database
            .transaction(|tx| {
                async {
                    let Some(row) = cart::lock(tx, viewer, request.cart).await? else { return Ok(false) };
                    let before = Cart::try_from(row)?;
                    if before.attempt != Some(request.attempt) || !before.state.may_become(CartState::Active)
                    {
                        return Ok(false);
                    }
                    if let Some(frozen) = &before.frozen {
                        for application in &frozen.quote.applications {
                            promotion::give_back(tx, application.promotion).await?;
                        }
                    }
                    let mut after = before.clone();
                    after.state = CartState::Active;
                    after.attempt = None;
                    after.frozen = None;
                    cart::update(tx, &before, &after).await?;
                    Ok::<bool, Fault>(true)
                }
                .scope_boxed()
            })
            .await?;
        if thawed {
            self.memory.promotions.clear();
            self.announce(request.cart);
        }
        Ok(())
    }

    /// Marks a cart that is frozen for this attempt as ordered.
    pub async fn complete(&self, request: &CompleteCart) -> Result<(), Fault> {
        let database = self.ports.database.schema();
        if cart::leave_frozen(database, request.cart, request.attempt, CartState::Ordered).await? {
            self.announce(request.cart);
        }
        Ok(())
    }
}

/// What is to be answered without freezing anything: what was answered before, or why not.
fn as_it_is(cart: &Cart, request: &FreezeCart) -> Option<FreezeCartReply> {
    if cart.owner.is_some() && cart.owner != request.buyer {
        return Some(FreezeCartReply::NotFound);
    }
    if cart.attempt == Some(request.attempt)
        && let Some(frozen) = &cart.frozen
    {
        return Some(FreezeCartReply::Frozen(Box::new(frozen.snapshot.clone())));
    }
    if !cart.state.may_become(CartState::Frozen) {
        return Some(FreezeCartReply::NotActive);
    }
    let changed = cart.version != request.version;
    changed.then_some(FreezeCartReply::VersionConflict { current_version: cart.version })
}

fn frozen(mut cart: Cart, request: &FreezeCart, snapshot: &CartSnapshot, quote: Quote) -> Cart {
    cart.state = CartState::Frozen;
    cart.attempt = Some(request.attempt);
    cart.frozen = Some(Box::new(Frozen { snapshot: snapshot.clone(), quote }));
    cart
}

fn out_of_range() -> Fault {
    Fault::internal("a total is out of range")
}
