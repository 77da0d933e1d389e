//! Wish lists.

use async_graphql::{Context, ID, Object, Result};

use super::loader::Loaders;
use super::variant::ProductVariant;
use crate::entity::wishlist;

/// A wish list.
pub struct Wishlist(pub wishlist::Model);

/// A wish list: variants that a user wants to remember.
#[Object]
impl Wishlist {
    /// The wish list's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The wish list's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What stands on it, oldest first.
    async fn items(&self, context: &Context<'_>) -> Result<Vec<ProductVariant>> {
        let variants = Loaders::of(context)?.wishes.load(self.0.id).await?.unwrap_or_default();
        Ok(variants.iter().copied().map(ProductVariant::reference).collect())
    }

    /// What others need to see it; null while it is not shared.
    async fn share_token(&self) -> Option<&str> {
        self.0.share_token.as_deref()
    }
}
