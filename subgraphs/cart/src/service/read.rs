//! What is read of carts.

use std::collections::HashMap;
use std::sync::Arc;

use auth::Viewer;
use common::Fault;
use common::id::{CartId, CartLineId, UserId, VariantId, WishlistId};

use super::{CHUNK, Carts, Place, WARM};
use crate::domain::{Basket, Cart, Line, Priced};
use crate::entity::{cart, line, offer, wishlist, wishlist_item};

impl Carts {
    /// The carts with these ids that the viewer may see, in one statement.
    pub async fn carts(
        &self,
        viewer: &Viewer,
        ids: Vec<CartId>,
    ) -> Result<HashMap<CartId, Arc<Cart>>, Fault> {
        let rows = cart::by_ids(self.ports.database.read(), viewer, ids).await?;
        rows.into_iter().map(|row| Cart::try_from(row).map(|cart| (cart.id, Arc::new(cart)))).collect()
    }

    /// The cart that the user fills or is checking out.
    pub async fn current(&self, user: UserId) -> Result<Option<Arc<Cart>>, Fault> {
        let row = cart::current_of(self.ports.database.read(), user).await?;
        row.map(|row| Cart::try_from(row).map(Arc::new)).transpose()
    }

    /// The lines of carts with their offers, in one statement.
    pub async fn lines(&self, carts: Vec<CartId>) -> Result<HashMap<CartId, Vec<Line>>, Fault> {
        let mut found: HashMap<CartId, Vec<Line>> = carts.iter().map(|cart| (*cart, Vec::new())).collect();
        for (cart, line) in line::of_carts(self.ports.database.read(), &carts).await? {
            found.entry(cart).or_default().push(line);
        }
        Ok(found)
    }

    /// A cart with these lines and what it comes to.
    pub async fn priced(&self, cart: Cart, lines: Vec<Line>) -> Result<Priced, Fault> {
        self.price(Basket { cart, lines }, &self.promotions().await?)
    }

    /// Which carts these lines are in, in one statement.
    pub async fn carts_of_lines(&self, lines: Vec<CartLineId>) -> Result<HashMap<CartLineId, CartId>, Fault> {
        Ok(line::carts_of(self.ports.database.read(), lines).await?.into_iter().collect())
    }

    /// Begins to read where the newest variants stand.
    pub fn warm_up(&self) {
        let carts = self.clone();
        self.ports.warm_up(offer::Column::VariantId, WARM, CHUNK, move |ids| {
            let carts = carts.clone();
            async move { carts.places(ids).await.map(drop) }
        });
    }

    /// To be called after what the catalogue tells was applied: these variants may stand elsewhere.
    pub fn moved(&self, variants: impl IntoIterator<Item = VariantId>) {
        for variant in variants {
            self.memory.places.invalidate(&variant);
        }
    }

    /// Where this variant stands in the catalogue, if that is in memory.
    pub fn known_place(&self, id: VariantId) -> Option<Place> {
        self.memory.places.get(&id)
    }

    /// Where these variants stand in the catalogue: from memory, and the others in one statement.
    pub async fn places(&self, ids: Vec<VariantId>) -> Result<HashMap<VariantId, Place>, Fault> {
        let memory = &self.memory.places;
        let epoch = memory.epoch();
        let mut found: HashMap<VariantId, Place> =
            ids.iter().filter_map(|id| memory.get(id).map(|place| (*id, place))).collect();
        let missing: Vec<VariantId> = ids.into_iter().filter(|id| !found.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        for row in offer::places(self.ports.database.read_since(memory.changed()), missing).await? {
            let place: Place = Arc::new((row.product_id, row.categories()?));
            memory.insert(epoch, row.variant_id, Arc::clone(&place));
            found.insert(row.variant_id, place);
        }
        Ok(found)
    }

    /// The user's wish lists.
    pub async fn wishlists_of(&self, owner: UserId) -> Result<Vec<wishlist::Model>, Fault> {
        Ok(wishlist::of_owner(self.ports.database.read(), owner).await?)
    }

    /// The wish lists with these ids that are the user's, in one statement.
    pub async fn wishlists(
        &self,
        owner: UserId,
        ids: Vec<WishlistId>,
    ) -> Result<HashMap<WishlistId, wishlist::Model>, Fault> {
        let rows = wishlist::by_ids(self.ports.database.read(), owner, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// What stands on these wish lists, in one statement.
    pub async fn wishes(&self, lists: Vec<WishlistId>) -> Result<HashMap<WishlistId, Vec<VariantId>>, Fault> {
        let mut found: HashMap<WishlistId, Vec<VariantId>> =
            lists.iter().map(|list| (*list, Vec::new())).collect();
        for item in wishlist_item::of_lists(self.ports.database.read(), lists).await? {
            found.entry(item.wishlist_id).or_default().push(item.variant_id);
        }
        Ok(found)
    }
}
