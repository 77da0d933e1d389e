//! The tables of `notifications`, one a file, each with its finders.

pub mod article;
pub mod contact;
pub mod notification;
pub mod preference;
pub mod stock_alert;
pub mod webhook;
pub mod webhook_delivery;
