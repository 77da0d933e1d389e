//! The tables of stock, one a file, with what is asked of each.

pub mod order_hold;
pub mod reservation;
pub mod stock_adjustment;
pub mod stock_item;
pub mod stock_level;
pub mod stock_location;
