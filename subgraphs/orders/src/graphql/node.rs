//! The interface that everything with an id has in common.

use async_graphql::{ID, Interface};

use super::attempt::CheckoutAttempt;
use super::fulfillment::{Fulfillment, Return};
use super::order::Order;
use super::order_line::OrderLine;

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
pub enum Node {
    Order(Order),
    OrderLine(OrderLine),
    Fulfillment(Fulfillment),
    Return(Return),
    CheckoutAttempt(CheckoutAttempt),
}
