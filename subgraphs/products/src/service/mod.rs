//! Use cases: reads through caches, writes in transactions.

mod catalog;
mod change_product;
mod write_review;

pub use catalog::Catalog;
pub use change_product::ProductChange;
