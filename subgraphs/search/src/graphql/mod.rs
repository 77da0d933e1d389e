//! The schema of search.

mod mutation;
mod query;
mod recommendation;
mod reference;
mod result;

use async_graphql::{Context, EmptySubscription, Schema};
use common::Fault;

pub use mutation::Mutation;
pub use query::Query;

use crate::service::Finder;

/// The schema over a finder.
pub fn schema(finder: &Finder) -> Schema<Query, Mutation, EmptySubscription> {
    subgraph::graphql::schema(Query, Mutation, EmptySubscription).data(finder.clone()).finish()
}

fn finder<'c>(context: &Context<'c>) -> Result<&'c Finder, Fault> {
    context.data::<Finder>().map_err(|error| Fault::internal(error.message))
}
