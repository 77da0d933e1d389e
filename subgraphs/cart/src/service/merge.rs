//! Merging a guest's cart into the cart of the customer who logged in.

use auth::Viewer;
use common::id::{CartId, UserId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use serde::Serialize;
use subgraph::idempotency::{Key, Replay};

use super::edit::Edited;
use super::{Carts, insert, save};
use crate::domain::{Basket, Cart, CartState, MergePolicy, Priced, Promotion, Refusal, merge};
use crate::entity::{cart, line, shopper};

/// A guest's cart to be merged.
#[derive(Debug, Clone, Serialize)]
pub struct Merge {
    pub guest: CartId,
    pub policy: MergePolicy,
    /// The idempotency key.
    #[serde(skip)]
    pub key: String,
}

impl Carts {
    /// Merges a guest's cart into the user's, which is made where there is none. A guest's cart that was merged before
    /// has no second effect, whatever the key.
    pub async fn merge(
        &self,
        viewer: &Viewer,
        user: UserId,
        request: &Merge,
    ) -> Result<Result<Edited, Refusal>, Fault> {
        let key = Key::new("cartMerge", &user.to_string(), &request.key, request)?;
        let promotions = self.promotions().await?;
        let merged = self
            .ports
            .database
            .transaction(|tx| {
                async {
                    match key.claim::<CartId>(tx, self.now()).await? {
                        Replay::New => {}
                        Replay::Done(id) => return self.replay(tx, viewer, id, &promotions).await,
                        Replay::Reused => return Err(Failure::Refused(Refusal::KeyReused)),
                    }
                    let merged = self.merge_in(tx, viewer, request, user, &promotions).await?;
                    key.remember(tx, &merged.priced.basket.cart.id).await?;
                    Ok(merged)
                }
                .scope_boxed()
            })
            .await;
        let merged = settle(merged)?;
        if let Ok(merged) = &merged {
            self.announce(request.guest);
            self.announce(merged.priced.basket.cart.id);
        }
        Ok(merged)
    }

    async fn merge_in(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        request: &Merge,
        user: UserId,
        promotions: &[Promotion],
    ) -> Result<Edited, Failure<Refusal>> {
        let now = self.now();
        // Two merges of one user follow each other, so that they do not each make a cart.
        let shopper = shopper::lock(tx, user).await?;
        let own = cart::current_of(tx, user).await?.map(Cart::try_from).transpose()?;
        let own = own.filter(|cart| cart.state.is_open());
        let mut ids = vec![request.guest];
        ids.extend(own.iter().map(|cart| cart.id).filter(|id| *id != request.guest));
        let mut carts = Vec::new();
        for row in cart::lock_all(tx, &ids).await? {
            carts.push(Cart::try_from(row)?);
        }
        let guest = carts.iter().position(|cart| cart.id == request.guest);
        let guest = carts.swap_remove(guest.ok_or(Failure::Refused(Refusal::CartNotFound))?);
        if let Some(done) = merged_before(&guest, user).map_err(Failure::Refused)? {
            return self.replay(tx, viewer, done, promotions).await;
        }
        // Locked now, it may have been frozen since it was found.
        let own = carts.pop().filter(|cart| cart.state.is_open());
        let mut found =
            line::of_carts(tx, &[guest.id, own.as_ref().map_or(guest.id, |cart| cart.id)]).await?;
        let mut guest = Basket { cart: guest, lines: Vec::new() };
        guest.lines =
            found.extract_if(.., |(cart, _)| *cart == guest.cart.id).map(|(_, line)| line).collect();
        let is_new = own.is_none();
        let customer = own.unwrap_or_else(|| self.empty(viewer));
        let before = Basket { cart: customer, lines: found.into_iter().map(|(_, line)| line).collect() };
        let mut after = before.clone();
        after.cart.state = CartState::Active;
        after.cart.email = after.cart.email.or(shopper.email);
        let mut warnings = after.refresh(now);
        warnings.extend(merge(&mut after, &guest, request.policy, now, &self.ports.ids));
        let mut priced: Priced = self.finish(after, &mut warnings, promotions, now)?;
        if is_new {
            insert(tx, &priced.basket).await?;
        } else {
            priced.basket.cart.version += 1;
            priced.basket.cart.updated_at = now;
            save(tx, &before, &priced.basket).await?;
        }
        let mut spent = guest.cart.clone();
        spent.state = CartState::Merged;
        spent.merged_into = Some(priced.basket.cart.id);
        spent.version += 1;
        spent.updated_at = now;
        cart::update(tx, &guest.cart, &spent).await?;
        Ok(Edited { priced, warnings, problems: Vec::new() })
    }
}

/// The cart to show where there is nothing to do any more, or a refusal.
fn merged_before(guest: &Cart, user: UserId) -> Result<Option<CartId>, Refusal> {
    match (guest.owner, guest.state, guest.merged_into) {
        (Some(owner), ..) if owner == user => Ok(Some(guest.id)),
        (Some(_), ..) => Err(Refusal::CartNotFound),
        // Another user's cart is not found by the viewer, and the replay refuses.
        (None, CartState::Merged, Some(into)) => Ok(Some(into)),
        (None, CartState::Frozen, _) => Err(Refusal::Frozen),
        (None, state, _) if state.may_become(CartState::Merged) => Ok(None),
        (None, state, _) => Err(Refusal::Closed(state)),
    }
}
