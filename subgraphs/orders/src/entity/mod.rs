//! The tables, one a file, each with its finders.

pub mod checkout_attempt;
pub mod fulfillment;
pub mod fulfillment_line;
pub mod order;
pub mod order_event;
pub mod order_line;
pub mod order_return;
pub mod return_line;
