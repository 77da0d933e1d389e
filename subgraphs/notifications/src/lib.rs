//! Notifications: what people are told, through which channels, and what they chose to hear; alerts for what is sold
//! out; endpoints of partners.
//!
//! Read it from the bottom: `domain` has the rules and the words, `entity` the tables, `channel` what carries messages,
//! `service` the use cases and the job that delivers, `graphql` the schema, `events` what it hears from others.

pub mod channel;
mod domain;
mod entity;
mod events;
mod graphql;
mod migration;
mod seed;
mod service;

use std::sync::Arc;

use subgraph::{Ports, Subgraph};

pub use crate::seed::{rows as seed_rows, seed};
pub use migration::migrations;

use channel::{Carrier, Folder};

/// The subgraph's name in the supergraph.
pub const NAME: &str = "notifications";

/// Builds the subgraph on its ports. Mail is written to the folder `mail` among its files.
pub fn build(ports: &Ports) -> Subgraph {
    build_with(ports, vec![Arc::new(Folder::new(ports.folder.join("mail")))])
}

/// Builds the subgraph on its ports, with these carriers. For a channel with several, the first carries.
pub fn build_with(ports: &Ports, carriers: Vec<Arc<dyn Carrier>>) -> Subgraph {
    let notifications = service::Notifications::new(ports, carriers);
    let schema = graphql::schema(&notifications);
    let sdl = subgraph::export_sdl(&schema);
    let (consumer, news) = (events::consumer(&notifications), notifications.news());
    let delivering = service::job(&notifications);
    Subgraph::new(ports, schema, sdl, move |request| request.data(graphql::Loaders::new(&notifications)))
        .consuming(ports, consumer)
        .working(delivering)
        .spreading(news)
}
