//! The ways in, and the references by which the gateway comes back to an entity. All of them check who asks; what is
//! reached from an order that was let through needs no further check.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use common::{Cursor, Fault, PageArgs};
use subgraph::graphql::{Connection, Scope, parse_id, viewer};

use super::attempt::CheckoutAttempt;
use super::fulfillment::{Fulfillment, Return};
use super::loader::Loaders;
use super::order::Order;
use super::order_line::OrderLine;
use super::part;
use super::reference::{Cart, User};
use super::status::OrderStatus;
use crate::domain::may_see;
use crate::entity::order;
use crate::service::{Orders, Progress, may_follow};

/// Where reading begins.
pub struct Query;

/// Where reading begins.
#[Object]
impl Query {
    /// An order by its id or its number: one's own, or a guest's with the token that its checkout gave. Null where there
    /// is none that the viewer may see.
    async fn order(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order's id.")] id: Option<ID>,
        #[graphql(desc = "The order's number. Ignored where `id` is given.")] number: Option<String>,
        #[graphql(desc = "The `guestToken` of the checkout that made the order.")] guest_token: Option<
            String,
        >,
    ) -> Result<Option<Order>> {
        let loaders = Loaders::of(context)?;
        let found = match (id, number) {
            (Some(id), _) => loaders.orders.load(parse_id(&id)?).await?,
            (None, Some(number)) => loaders.orders_by_number.load(number.trim().to_uppercase()).await?,
            (None, None) => return Err(Fault::bad_input("Give an 'id' or a 'number'.").into()),
        };
        let (viewer, orders) = (viewer(context), part::<Orders>(context)?);
        let may = |order: &Arc<order::Model>| {
            may_see(viewer, order.customer_id)
                || guest_token.as_ref().is_some_and(|token| orders.token_opens(order, token))
        };
        Ok(found.filter(may).map(Order))
    }

    /// A checkout by its id; null where there is none that the viewer may see. A checkout that waits is driven on by
    /// being asked for.
    async fn checkout_attempt(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The attempt's id.")] id: ID,
    ) -> Result<Option<CheckoutAttempt>> {
        let loaders = Loaders::of(context)?;
        let viewer = viewer(context);
        let found = loaders.attempts.load(parse_id(&id)?).await?;
        let Some(attempt) = found.filter(|attempt| may_follow(viewer, attempt)) else { return Ok(None) };
        let progress = part::<Orders>(context)?.poll_checkout((*attempt).clone()).await?;
        Ok(Some(show(loaders, progress).await))
    }

    /// All orders, newest first.
    #[graphql(guard = "Scope(\"orders:read\")", requires_scopes = "orders:read")]
    async fn orders(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(20)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Only those in this state.")] status: Option<OrderStatus>,
    ) -> Result<Connection<Order>> {
        let page = PageArgs::parse(first.unwrap_or(20), after.as_deref()).map_err(Fault::from)?;
        let orders = part::<Orders>(context)?.all_orders(status.map(Into::into), &page).await?;
        Ok(Connection::new(&page, orders, |order| Cursor::new(&[&order.id]), Order))
    }

    #[graphql(entity)]
    async fn find_order_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Order>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        visible(context, Loaders::of(context)?.orders.load(id).await?)
    }

    #[graphql(entity)]
    async fn find_order_by_number(&self, context: &Context<'_>, number: String) -> Result<Option<Order>> {
        visible(context, Loaders::of(context)?.orders_by_number.load(number).await?)
    }

    #[graphql(entity)]
    async fn find_order_line_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<OrderLine>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some(line) = Loaders::of(context)?.lines.load(id).await? else { return Ok(None) };
        Ok(sees_order(context, line.order_id).await?.then_some(OrderLine(line)))
    }

    #[graphql(entity)]
    async fn find_fulfillment_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Fulfillment>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some((row, lines)) = Loaders::of(context)?.fulfillments.load(id).await? else { return Ok(None) };
        Ok(sees_order(context, row.order_id).await?.then_some(Fulfillment { row, lines }))
    }

    #[graphql(entity)]
    async fn find_return_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Return>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some((row, lines)) = Loaders::of(context)?.returns.load(id).await? else { return Ok(None) };
        Ok(sees_order(context, row.order_id).await?.then_some(Return { row, lines }))
    }

    #[graphql(entity)]
    async fn find_checkout_attempt_by_id(
        &self,
        context: &Context<'_>,
        id: ID,
    ) -> Result<Option<CheckoutAttempt>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let viewer = viewer(context);
        let found = Loaders::of(context)?.attempts.load(id).await?;
        Ok(found.filter(|attempt| may_follow(viewer, attempt)).map(CheckoutAttempt))
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        id.parse().ok().map(|id| User { id })
    }

    #[graphql(entity)]
    async fn find_cart_by_id(&self, id: ID) -> Option<Cart> {
        id.parse().ok().map(|id| Cart { id })
    }
}

/// The order, where the viewer may see it by its id alone.
fn visible(context: &Context<'_>, found: Option<Arc<order::Model>>) -> Result<Option<Order>> {
    let viewer = viewer(context);
    Ok(found.filter(|order| may_see(viewer, order.customer_id)).map(Order))
}

async fn sees_order(context: &Context<'_>, id: common::id::OrderId) -> Result<bool> {
    Ok(visible(context, Loaders::of(context)?.orders.load(id).await?)?.is_some())
}

/// An attempt with its order, where that is in memory.
pub async fn show(loaders: &Loaders, progress: Progress) -> CheckoutAttempt {
    if let Some(whole) = progress.order {
        loaders.know(whole).await;
    }
    CheckoutAttempt(Arc::new(progress.attempt))
}
