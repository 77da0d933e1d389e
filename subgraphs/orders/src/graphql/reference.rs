//! Entities of other subgraphs: those that we add fields to, and those that we only point at.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use common::id::{CartId, UserId};
use common::{Cursor, Fault, PageArgs, Timestamp};
use subgraph::graphql::{Connection, viewer};

use super::attempt::CheckoutAttempt;
use super::loader::Loaders;
use super::order::Order;
use crate::domain::may_see;
use crate::entity::order;
use crate::service::may_follow;

/// A person with an account.
pub struct User {
    pub id: UserId,
}

/// A person with an account.
#[Object]
impl User {
    /// The account's id.
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// The orders that the person has placed, newest first; null for everybody else but staff.
    async fn orders(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(20)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Option<Connection<Order>>> {
        if !may_see(viewer(context), Some(self.id)) {
            return Ok(None);
        }
        let page = PageArgs::parse(first.unwrap_or(20), after.as_deref()).map_err(Fault::from)?;
        let place = match &page.after {
            Some(cursor) => {
                let at = cursor.key(0, 2).map_err(Fault::from)?;
                Some((Timestamp(at), cursor.key(1, 2).map_err(Fault::from)?))
            }
            None => None,
        };
        let key = (self.id, place, page.limit());
        let orders = Loaders::of(context)?.orders_of.load(key).await?.unwrap_or_default();
        let cursor = |order: &std::sync::Arc<order::Model>| {
            Cursor::new(&[&order.placed_at.unwrap_or(order.created_at).0, &order.id])
        };
        Ok(Some(Connection::new(&page, orders.to_vec(), cursor, Order)))
    }
}

/// A cart.
pub struct Cart {
    pub id: CartId,
}

/// A cart.
#[Object]
impl Cart {
    /// The cart's id.
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// The newest checkout of the cart; null where there was none, or the viewer may not see it.
    async fn checkout_attempt(&self, context: &Context<'_>) -> Result<Option<CheckoutAttempt>> {
        let newest = Loaders::of(context)?.newest_attempts.load(self.id).await?;
        let viewer = viewer(context);
        Ok(newest.filter(|attempt| may_follow(viewer, attempt)).map(CheckoutAttempt))
    }
}

/// A variant of a product: what can be bought.
#[derive(SimpleObject)]
#[graphql(unresolvable = "id")]
pub struct ProductVariant {
    /// The variant's id.
    pub id: ID,
}
