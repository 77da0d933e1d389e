//! The tables, one a file, each with its finders.

pub mod cart;
pub mod line;
pub mod offer;
pub mod promotion;
pub mod shopper;
pub mod wishlist;
pub mod wishlist_item;
