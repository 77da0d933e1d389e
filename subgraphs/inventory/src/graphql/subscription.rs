//! Being told of stock.

use async_graphql::{Context, ID, Result, Subscription as GraphQlSubscription};
use common::Fault;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use subgraph::graphql::parse_id;

use super::part;
use super::reference::ProductVariant;
use crate::service::Inventory;

/// Most variants of one subscription.
const MOST_WATCHED: usize = 100;

/// Where watching begins.
pub struct Subscription;

/// Where watching begins.
#[GraphQlSubscription]
impl Subscription {
    /// A variant whenever its availability changes as a shopper sees it: another status, or another quantity where few
    /// are left.
    async fn availability_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The variants to watch, at most 100.")] variant_ids: Vec<ID>,
    ) -> Result<BoxStream<'static, ProductVariant>> {
        if variant_ids.len() > MOST_WATCHED {
            return Err(Fault::bad_input(format!("At most {MOST_WATCHED} variants at once.")).into());
        }
        let variants = variant_ids.iter().map(parse_id).collect::<Result<Vec<_>, Fault>>()?;
        Ok(part::<Inventory>(context)?.watch(variants).map(ProductVariant::live).boxed())
    }
}
