//! Finding things: text search with facets, suggestions, recommendations, and what was sold.
//!
//! The subgraph keeps its own projection of products, stock and sales, written by events (`events`, `entity`). From it
//! `service` holds a picture of the catalogue in memory and a text index over it; `domain` has what is asked and how
//! hits are filtered, counted and ordered. Where a search engine is named, it is told of every change (`follower`,
//! `build`) and asked in place of the text index (`remote`, `engine`).

mod domain;
mod entity;
mod events;
mod graphql;
mod migration;
mod seed;
mod service;

use common::Fault;
use database::ScopedFutureExt as _;
use jobs::Asked;
use subgraph::{Ports, SearchUrl, Subgraph};

pub use crate::seed::{rows as seed_rows, seed};
pub use migration::migrations;

/// The subgraph's name in the supergraph.
pub const NAME: &str = "search";

/// Builds the subgraph on its ports.
pub fn build(ports: &Ports) -> Subgraph {
    let finder = service::Finder::new(ports);
    let schema = graphql::schema(&finder);
    let sdl = subgraph::export_sdl(&schema);
    finder.warm_up();
    let built =
        Subgraph::new(ports, schema, sdl, |request| request).consuming(ports, events::consumer(&finder));
    finder.jobs().into_iter().fold(built, Subgraph::working)
}

/// Whether what is searched has everything that was committed before this call. In memory it always has.
pub async fn is_caught_up(ports: &Ports) -> Result<bool, Fault> {
    match ports.search {
        SearchUrl::Embedded => Ok(true),
        SearchUrl::Engine(_) => service::is_caught_up(&ports.database).await,
    }
}

/// Builds the search engine's index anew beside the one that is searched and puts it in its place; goes on where an
/// earlier call was stopped. `tell` hears of more products that are done. The new index's name; `None` where texts are
/// searched in memory.
pub async fn reindex(ports: &Ports, tell: impl Fn(u64) + Send + Sync) -> Result<Option<String>, Fault> {
    match service::Finder::new(ports).follower() {
        Some(follower) => follower.build(&tell).await.map(Some),
        None => Ok(None),
    }
}

/// Asks whoever does the jobs of search for what [`reindex`] does; says whether nobody has asked already. Refused by
/// `None` where texts are searched in memory.
pub async fn ask_to_reindex(ports: &Ports) -> Result<Option<bool>, Fault> {
    if matches!(ports.search, SearchUrl::Embedded) {
        return Ok(None);
    }
    let asked: Result<bool, Fault> = ports
        .database
        .transaction(|tx| {
            async move {
                let (name, at) = (service::REINDEX, ports.clock.now());
                ports.jobs().ask(tx, &Asked { name, key: name, payload: (), at }).await
            }
            .scope_boxed()
        })
        .await;
    asked.map(Some)
}

/// How many products [`reindex`] tells of.
pub async fn products(ports: &Ports) -> Result<u64, Fault> {
    Ok(entity::document::count(ports.database.read()).await?)
}
