//! Putting a variant on a wish list.

use common::id::{UserId, VariantId, WishlistId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx};
use sea_orm::EntityTrait as _;

use super::Carts;
use crate::domain::Refusal;
use crate::entity::{offer, shopper, wishlist, wishlist_item};

/// Most variants of a wish list.
const MOST_WISHES: usize = 500;
/// The name of the list that a first wish makes.
const FIRST_NAME: &str = "Wish list";

/// A variant for a wish list.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The user's oldest list, made where there is none, if not given.
    pub list: Option<WishlistId>,
    pub variant: VariantId,
}

impl Carts {
    /// Puts a variant on a wish list of the user; nothing happens where it stands there.
    pub async fn wish(&self, user: UserId, wish: Wish) -> Result<Result<wishlist::Model, Refusal>, Fault> {
        let done = self.ports.database.transaction(|tx| self.wish_in(tx, user, wish).scope_boxed()).await;
        settle(done)
    }

    async fn wish_in(&self, tx: &Tx, user: UserId, wish: Wish) -> Result<wishlist::Model, Failure<Refusal>> {
        // Two wishes of one user follow each other, so that they do not each make a list.
        shopper::lock(tx, user).await?;
        let lists = match wish.list {
            Some(id) => wishlist::by_ids(tx, user, vec![id]).await?,
            None => wishlist::of_owner(tx, user).await?,
        };
        if offer::places(tx, vec![wish.variant]).await?.is_empty() {
            return Err(Failure::Refused(Refusal::UnknownWish));
        }
        let list = match (lists.into_iter().next(), wish.list) {
            (Some(list), _) => list,
            (None, Some(_)) => return Err(Failure::Refused(Refusal::WishlistNotFound)),
            (None, None) => self.first_list(tx, user).await?,
        };
        let there = wishlist_item::of_lists(tx, vec![list.id]).await?;
        if there.iter().any(|item| item.variant_id == wish.variant) {
            return Ok(list);
        }
        if there.len() >= MOST_WISHES {
            return Err(Failure::Refused(Refusal::WishlistFull));
        }
        let item =
            wishlist_item::Model { wishlist_id: list.id, variant_id: wish.variant, added_at: self.now() };
        wishlist_item::put(tx, item).await?;
        Ok(list)
    }

    async fn first_list(&self, tx: &Tx, user: UserId) -> Result<wishlist::Model, Fault> {
        let list = wishlist::Model {
            id: self.ports.ids.next(),
            owner_id: user,
            name: FIRST_NAME.to_owned(),
            share_token: None,
            created_at: self.now(),
        };
        let row = wishlist::ActiveModel::from(list.clone());
        wishlist::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(list)
    }
}
