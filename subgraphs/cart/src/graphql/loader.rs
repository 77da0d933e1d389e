//! Loaders: the look-ups of one request, in batches. Made anew for each request, so they know its viewer.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use auth::Viewer;
use common::Fault;
use common::id::{CartId, CartLineId, UserId, VariantId, WishlistId};
use database::Loader;
use tokio::sync::OnceCell;

use super::part;
use crate::domain::{Cart, Line, Promotion};
use crate::entity::wishlist;
use crate::service::{Carts, Place};

/// The loaders of one request.
pub struct Loaders {
    /// Carts as the viewer beside the id may see them.
    pub carts: Loader<(CartId, Arc<Viewer>), Arc<Cart>>,
    pub lines: Loader<CartId, Arc<[Line]>>,
    pub carts_of_lines: Loader<CartLineId, CartId>,
    pub current: Loader<UserId, Arc<Cart>>,
    pub wishlists_of: Loader<UserId, Arc<[wishlist::Model]>>,
    pub wishlists: Loader<(UserId, WishlistId), wishlist::Model>,
    pub wishes: Loader<WishlistId, Arc<[VariantId]>>,
    pub places: Loader<VariantId, Place>,
    promotions: OnceCell<Arc<Vec<Promotion>>>,
}

impl Loaders {
    /// Fresh loaders over the carts.
    pub fn new(carts: &Carts) -> Self {
        let known = carts.clone();
        Self {
            carts: over(carts, |carts, keys: Vec<(CartId, Arc<Viewer>)>| async move {
                // A request has one viewer.
                let Some((_, viewer)) = keys.first().cloned() else { return Ok(HashMap::new()) };
                let found = carts.carts(&viewer, keys.into_iter().map(|(id, _)| id).collect()).await?;
                Ok(found.into_iter().map(|(id, cart)| ((id, Arc::clone(&viewer)), cart)).collect())
            }),
            lines: over(carts, |carts, ids| async move { Ok(shared(carts.lines(ids).await?)) }),
            carts_of_lines: over(carts, |carts, ids| async move { carts.carts_of_lines(ids).await }),
            current: over(carts, |carts, users: Vec<UserId>| async move {
                let mut found = HashMap::new();
                // Only the viewer's own cart is ever asked for.
                for user in users {
                    found.extend(carts.current(user).await?.map(|cart| (user, cart)));
                }
                Ok(found)
            }),
            wishlists_of: over(carts, |carts, users: Vec<UserId>| async move {
                let mut found = HashMap::new();
                // Only the viewer's own lists are ever asked for.
                for user in users {
                    found.insert(user, carts.wishlists_of(user).await?.into());
                }
                Ok(found)
            }),
            wishlists: over(carts, |carts, keys: Vec<(UserId, WishlistId)>| async move {
                let Some((owner, _)) = keys.first().copied() else { return Ok(HashMap::new()) };
                let found = carts.wishlists(owner, keys.into_iter().map(|(_, id)| id).collect()).await?;
                Ok(found.into_iter().map(|(id, list)| ((owner, id), list)).collect())
            }),
            wishes: over(carts, |carts, ids| async move { Ok(shared(carts.wishes(ids).await?)) }),
            places: over(carts, |carts, ids| async move { carts.places(ids).await })
                .knowing(move |id| known.known_place(*id)),
            promotions: OnceCell::new(),
        }
    }

    /// The promotions that have not ended, the same for all of a request, whatever becomes of them meanwhile: so its
    /// prices go together, and whoever waits for them goes on together, in one batch.
    pub async fn promotions(&self, carts: &Carts) -> Result<&[Promotion], Fault> {
        let read = || async {
            let (now, promotions) = (carts.now(), carts.promotions().await?);
            if let Some(change) = promotions.iter().filter_map(|promotion| promotion.next_change(now)).min() {
                cache::good_until(change);
            }
            Ok::<_, Fault>(promotions)
        };
        let promotions = self.promotions.get_or_try_init(read).await?;
        Ok(promotions)
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}

/// A loader that fetches with its own handle to the carts.
fn over<K, V, F, Fut>(carts: &Carts, fetch: F) -> Loader<K, V>
where
    K: Eq + std::hash::Hash + Clone + std::fmt::Debug + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    F: Fn(Carts, Vec<K>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HashMap<K, V>, Fault>> + Send + 'static,
{
    let carts = carts.clone();
    Loader::new(move |keys| fetch(carts.clone(), keys))
}

fn shared<K: Eq + std::hash::Hash, V>(found: HashMap<K, Vec<V>>) -> HashMap<K, Arc<[V]>> {
    found.into_iter().map(|(key, values)| (key, values.into())).collect()
}
