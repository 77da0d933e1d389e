//! What is asked, and how products are filtered, counted and ordered. No I/O.

mod facet;
mod picture;
mod query;
mod recommend;
mod words;

pub use facet::{Facet, FacetValue, Facets};
pub use picture::{Entry, Picture};
pub use query::{
    Asked, FacetCount, FacetFilter, Found, Hit, MOST_BUCKETS, PriceFilter, Sort, find, matched_variant,
};
pub use recommend::{Intent, recommend, recommend_from};
pub use words::{highlight, tokens};
