//! Use cases: finding over the picture in memory, and recording what people look at.

mod finder;
mod insights;
mod text_index;
mod track;

pub use finder::{Answer, Finder, SearchRequest, Suggested};
pub use insights::Grain;
pub use track::Tracked;
