//! What every subgraph is made of: the ports it is given, the shape it takes, how it is served and tested.
//!
//! A subgraph exports `NAME`, `migrations()` and `build(&Ports) -> Subgraph`; everything that all eight would
//! otherwise repeat is here.

mod background;
mod documents;
mod execute;
pub mod graphql;
pub mod idempotency;
mod live;
mod peers;
mod ports;
mod remembered;
mod sdl;
mod search_url;
pub mod seeding;
mod serve;
pub mod testing;
mod upkeep;

pub use execute::{Answer, Document, Subgraph};
pub use live::{Live, News};
pub use peers::{Peer, Peers};
pub use ports::{Keys, Ports, PortsError};
pub use sdl::export as export_sdl;
pub use search_url::{EngineUrl, ParseSearchUrlError, SearchUrl};
pub use serve::{listen_to, router};

use database::Step;

/// The tables that every subgraph has beside its own.
pub fn migrations() -> Vec<Step> {
    let mut steps = messaging::migrations();
    steps.extend(jobs::migrations());
    steps.extend(idempotency::migrations());
    steps.extend(seeding::migrations());
    steps
}
