//! The tables, one a file, each with its finders.

pub mod co_purchase;
pub mod document;
pub mod index_state;
pub mod revision;
pub mod sales_point;
pub mod stock;
pub mod view;
pub mod word;
