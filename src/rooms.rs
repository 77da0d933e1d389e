//! The eight subgraphs, as far as putting them together needs to know them.

use anyhow::anyhow;
use common::Fault;
use database::Step;
use futures::future::BoxFuture;
use seed::World;
use subgraph::seeding::Progress;
use subgraph::{Ports, Subgraph};

/// One subgraph's entrances.
pub struct Room {
    /// Its name in the supergraph.
    pub name: &'static str,
    /// Its tables.
    pub migrations: fn() -> Vec<Step>,
    /// Builds it.
    pub build: fn(&Ports) -> Subgraph,
    /// Fills it.
    pub seed: for<'a> fn(&'a Ports, &'a World, &'a Progress) -> BoxFuture<'a, Result<(), Fault>>,
    /// Rows that filling tells of.
    pub rows: fn(&World) -> u64,
}

/// All of them, in the order in which they are seeded.
pub const ROOMS: &[Room] = &[
    Room {
        name: users::NAME,
        migrations: users::migrations,
        build: users::build,
        seed: |ports, world, progress| Box::pin(users::seed(ports, world, progress)),
        rows: users::seed_rows,
    },
    Room {
        name: products::NAME,
        migrations: products::migrations,
        build: products::build,
        seed: |ports, world, progress| Box::pin(products::seed(ports, world, progress)),
        rows: products::seed_rows,
    },
    Room {
        name: inventory::NAME,
        migrations: inventory::migrations,
        build: inventory::build,
        seed: |ports, world, progress| Box::pin(inventory::seed(ports, world, progress)),
        rows: inventory::seed_rows,
    },
    Room {
        name: cart::NAME,
        migrations: cart::migrations,
        build: cart::build,
        seed: |ports, world, progress| Box::pin(cart::seed(ports, world, progress)),
        rows: cart::seed_rows,
    },
    Room {
        name: orders::NAME,
        migrations: orders::migrations,
        build: orders::build,
        seed: |ports, world, progress| Box::pin(orders::seed(ports, world, progress)),
        rows: orders::seed_rows,
    },
    Room {
        name: payments::NAME,
        migrations: payments::migrations,
        build: payments::build,
        seed: |ports, world, progress| Box::pin(payments::seed(ports, world, progress)),
        rows: payments::seed_rows,
    },
    Room {
        name: notifications::NAME,
        migrations: notifications::migrations,
        build: notifications::build,
        seed: |ports, world, progress| Box::pin(notifications::seed(ports, world, progress)),
        rows: notifications::seed_rows,
    },
    Room {
        name: search::NAME,
        migrations: search::migrations,
        build: search::build,
        seed: |ports, world, progress| Box::pin(search::seed(ports, world, progress)),
        rows: search::seed_rows,
    },
];

/// The room of this name.
pub fn room(name: &str) -> anyhow::Result<&'static Room> {
    ROOMS.iter().find(|room| room.name == name).ok_or_else(|| {
        let known: Vec<&str> = ROOMS.iter().map(|room| room.name).collect();
        anyhow!("there is no subgraph '{name}': there are {}", known.join(", "))
    })
}
