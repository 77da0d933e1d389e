//! The tables of payments, one a file, with what is asked of each.

pub mod gift_card;
pub mod payable_order;
pub mod payment;
pub mod payment_method;
pub mod provider_charge;
pub mod provider_event;
pub mod refund;
pub mod transaction;
