//! The tables, one a file, each with its finders.

pub mod co_purchase;
pub mod document;
pub mod sales_point;
pub mod stock;
pub mod view;
