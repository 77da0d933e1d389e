//! Reviews.

use async_graphql::{ID, Object};
use subgraph::graphql::DateTime;

use super::node::User;
use crate::entity::review;

/// What somebody says of a product.
pub struct Review(pub review::Model);

/// What somebody says of a product.
#[Object]
impl Review {
    /// The review's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// One to five.
    async fn rating(&self) -> i32 {
        self.0.rating
    }

    /// What it says in short.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// What it says.
    async fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// Who wrote it.
    async fn author(&self) -> Option<User> {
        Some(User { id: self.0.author_id.into() })
    }

    /// Whether the author had bought the product when the review was written.
    async fn verified_purchase(&self) -> bool {
        self.0.verified
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}
