//! States as the schema names them.

use async_graphql::Enum;

use crate::domain;

/// Where an order is in its life.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::OrderStatus")]
pub enum OrderStatus {
    /// Its checkout runs.
    Pending,
    /// Its checkout went through: the money is held and the stock is set aside.
    Confirmed,
    /// Some of it was sent.
    Processing,
    /// All of it was sent.
    Completed,
    /// Nobody will get anything: its checkout failed, or it was cancelled.
    Cancelled,
    /// Its checkout was not finished in time.
    Expired,
}

/// How an order stands with its payment.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::FinancialStatus")]
pub enum FinancialStatus {
    /// Nothing is held or taken.
    Unpaid,
    /// The money is held.
    Authorized,
    /// Some of the money is taken.
    PartiallyPaid,
    /// All of the money is taken.
    Paid,
    /// Some of what was taken was given back.
    PartiallyRefunded,
    /// All that was taken was given back.
    Refunded,
    /// What was held was let go.
    Voided,
    /// The buyer's bank asks for the money back.
    Disputed,
}

/// How far the goods of an order, or of one shipment, have come.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::FulfillmentStatus")]
pub enum FulfillmentStatus {
    /// Nothing was sent.
    Unfulfilled,
    /// Some was sent.
    Partial,
    /// All was sent.
    Fulfilled,
    /// All has arrived.
    Delivered,
    /// All came back.
    Returned,
}

/// Where a return is in its life.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::ReturnStatus")]
pub enum ReturnStatus {
    /// The buyer asks for it.
    Requested,
    /// The buyer may send the goods.
    Approved,
    /// The buyer may not send the goods.
    Declined,
    /// The goods have arrived.
    Received,
    /// Nothing is left to do.
    Closed,
    /// The buyer keeps the goods after all.
    Cancelled,
}

/// Where a checkout is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::CheckoutState")]
pub enum CheckoutState {
    /// It was accepted.
    Started,
    /// The cart is frozen and the order is written.
    OrderCreated,
    /// Stock is set aside.
    StockReserved,
    /// The payment provider has not answered yet.
    PaymentPending,
    /// The buyer must do something first: see `clientAction`.
    ActionRequired,
    /// The money is held.
    Authorized,
    /// The order is confirmed.
    Confirmed,
    /// It failed, and money, stock and cart are being let go.
    Compensating,
    /// It failed and holds nothing.
    Failed,
}
