//! The tables, one a file, each with its finders.

pub mod category;
pub mod channel;
pub mod product;
pub mod purchase;
pub mod review;
pub mod variant;
