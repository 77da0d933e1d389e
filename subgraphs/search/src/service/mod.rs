//! Use cases: finding in memory or on an engine, and recording what people look at.

mod build;
mod engine;
mod fallback;
mod finder;
mod follower;
mod insights;
mod remote;
mod text_index;
mod track;

pub use fallback::keep_words;
pub use finder::{Answer, Finder, SearchRequest, Suggested, Suggestions};
pub use follower::{REINDEX, is_caught_up};
pub use insights::Grain;
pub use track::Tracked;

use finder::entries;
