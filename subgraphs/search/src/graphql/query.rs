//! The ways in, and the references by which the gateway comes back to an entity.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject, value};
use common::{Fault, PageArgs};
use subgraph::graphql::{DateTime, InOrder, Money, Scope, note, shop};

use super::finder;
use super::reference::{Cart, Product, User};
use super::result::{Filter, SearchConnection, SearchFilterInput, SearchSort, Suggestion};
use crate::service::{Grain, SearchRequest, Suggestions};

/// Where reading begins.
pub struct Query;

/// How long a point of a statistic lasts.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Grain")]
pub enum InsightGrain {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
    /// Seven days, from Monday.
    Week,
    /// Thirty days, counted from 1970-01-01.
    Month,
}

/// What was sold in one span.
#[derive(SimpleObject)]
pub struct SalesPoint {
    /// When the span begins.
    pub at: DateTime,
    /// How many orders.
    pub orders: i32,
    /// How many units.
    pub units: i32,
    /// What they came to, in the currency of the request.
    pub gross: Money,
}

/// Where reading begins.
#[Object]
impl Query {
    /// Products that match a text and filters, with counts for narrowing down. Small mistakes in spelling are forgiven.
    async fn search(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is looked for; nothing for everything.")] query: Option<String>,
        #[graphql(desc = "What is searched in.")] filter: Option<SearchFilterInput>,
        #[graphql(desc = "In what order hits come.", default_with = "Some(SearchSort::Relevance)")]
        sort: Option<SearchSort>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(24)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<InOrder<SearchConnection>> {
        let page = PageArgs::parse(first.unwrap_or(24), after.as_deref()).map_err(Fault::from)?;
        let filter = Filter::try_from(filter.unwrap_or_default())?;
        let (shop, finder) = (shop(context), finder(context)?);
        let begun = finder.ports.clock.now();
        let request = SearchRequest {
            text: query,
            facets: filter.facets,
            counted: context.look_ahead().field("facets").exists(),
            price: filter.price,
            in_stock_only: filter.in_stock_only,
            category: filter.category,
            sort: sort.unwrap_or(SearchSort::Relevance).into(),
            page: page.clone(),
        };
        let (id, answer) = finder.search(request, shop).await?;
        degraded(context, answer.degraded);
        let took_ms = finder.ports.clock.now().millis() - begun.millis();
        let took_ms = i32::try_from(took_ms).unwrap_or(i32::MAX);
        Ok(InOrder(SearchConnection::new(id, &answer, &page, &shop.locale, took_ms)))
    }

    /// What somebody may mean who has typed so far: categories, then products.
    async fn suggest(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was typed so far.")] query: String,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(8)")] first: Option<i32>,
    ) -> Result<Vec<Suggestion>> {
        let count = PageArgs::parse(first.unwrap_or(8), None).map_err(Fault::from)?.first;
        let shop = shop(context);
        let Suggestions { suggested, degraded: from_database } =
            finder(context)?.suggest(&query, count, shop).await?;
        degraded(context, from_database);
        let locale = &shop.locale;
        Ok(suggested.into_iter().map(|suggested| Suggestion::new(suggested, locale)).collect())
    }

    /// What was sold in the currency of the request, in spans; spans without sales are left out.
    #[graphql(guard = "Scope(\"insights:read\")", requires_scopes = "insights:read")]
    async fn sales_insights(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From when.")] from: DateTime,
        #[graphql(desc = "Until before when; at most two years after `from`.")] to: DateTime,
        #[graphql(desc = "How long a span lasts.", default_with = "Some(InsightGrain::Day)")] grain: Option<
            InsightGrain,
        >,
    ) -> Result<Vec<SalesPoint>> {
        let currency = shop(context).currency;
        let points =
            finder(context)?.sales(currency, from.0, to.0, grain.unwrap_or(InsightGrain::Day).into()).await?;
        let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        Ok(points
            .into_iter()
            .map(|point| SalesPoint {
                at: point.at.into(),
                orders: count(point.orders),
                units: count(point.units),
                gross: point.gross.into(),
            })
            .collect())
    }

    #[graphql(entity)]
    async fn find_product_by_id(&self, id: ID) -> Product {
        Product { id }
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> User {
        User { id }
    }

    #[graphql(entity)]
    async fn find_cart_by_id(&self, #[graphql(key)] id: ID, product_ids: Option<Vec<ID>>) -> Cart {
        Cart { id, product_ids: product_ids.unwrap_or_default() }
    }
}

/// Says in `extensions.search` that an answer is less than it could be.
fn degraded(context: &Context<'_>, degraded: bool) {
    if degraded {
        note(context, "search", &value!({ "degraded": true }));
    }
}
