//! The whole shop from outside: the binary is started, asked over HTTP, and believed only for what it answers.
//!
//! `flows` are what shoppers, staff and attackers do; each runs in every set-up of `setups`: in one process; with the
//! eight subgraphs as processes of their own behind a gateway, over our supergraph and over those that the composers on
//! npm make; and with gateway, subgraphs and workers on the engines of a large installation, which are then taken away
//! one by one under the `load` of shoppers. `outages` takes a subgraph away, `search_engine` the engine that searches,
//! `kafka` broker and workers; `rolling` replaces processes under load, and `supergraph` what they serve; `limiter` has
//! gateways count together, `written` has them know each other's writers, `sessions` has them know each other's browsers and ended sessions, `login` goes through an
//! identity provider and through the shop itself, `dead_letters` is about events that could not be applied, `jobs` about what is done in the
//! background, and `traces` about what a collector is told. `stampedes` needs a shop that is quick, so it runs in one
//! process only.

mod browser;
mod client;
mod dead_letters;
mod explain;
mod flows;
mod foreign;
mod jobs;
mod kafka;
mod keycloak;
mod limiter;
mod live;
mod load;
mod login;
mod migrate;
mod node;
mod operations;
mod outages;
mod process;
mod replica;
mod rolling;
mod search_engine;
mod sessions;
mod setups;
mod shopper;
mod stage;
mod stampedes;
mod startup;
mod supergraph;
mod template;
mod traces;
mod visitor;
mod written;
