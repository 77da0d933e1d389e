//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use async_graphql::Context;
use common::Fault;
use common::id::{CheckoutAttemptId, OrderId, PaymentId, RefundId, ReturnId, UserId};
use database::Loader;

use super::part;
use crate::entity::{gift_card, payment, payment_method, refund, transaction};
use crate::service::Payments;

/// The loaders of one request.
pub struct Loaders {
    pub payments: Loader<PaymentId, payment::Model>,
    pub refunds: Loader<RefundId, refund::Model>,
    pub of_orders: Loader<OrderId, Vec<payment::Model>>,
    pub of_attempts: Loader<CheckoutAttemptId, payment::Model>,
    pub transactions: Loader<PaymentId, Vec<transaction::Model>>,
    pub refunds_of: Loader<PaymentId, Vec<refund::Model>>,
    pub refunds_for: Loader<ReturnId, Vec<refund::Model>>,
    pub methods_of: Loader<UserId, Vec<payment_method::Model>>,
    pub gift_cards_of: Loader<UserId, Vec<gift_card::Model>>,
}

impl Loaders {
    /// Fresh loaders over the payments.
    pub fn new(payments: &Payments) -> Self {
        let over = || payments.clone();
        let (one, two, three, four, five) = (over(), over(), over(), over(), over());
        let (six, seven, eight, nine) = (over(), over(), over(), over());
        Self {
            payments: Loader::new(move |ids| {
                let payments = one.clone();
                async move { payments.payments(ids).await }
            }),
            refunds: Loader::new(move |ids| {
                let payments = two.clone();
                async move { payments.refunds(ids).await }
            }),
            of_orders: Loader::new(move |orders| {
                let payments = three.clone();
                async move { payments.of_orders(orders).await }
            }),
            of_attempts: Loader::new(move |attempts| {
                let payments = four.clone();
                async move { payments.of_attempts(attempts).await }
            }),
            transactions: Loader::new(move |ids| {
                let payments = five.clone();
                async move { payments.transactions(ids).await }
            }),
            refunds_of: Loader::new(move |ids| {
                let payments = six.clone();
                async move { payments.refunds_of(ids).await }
            }),
            refunds_for: Loader::new(move |returns| {
                let payments = seven.clone();
                async move { payments.refunds_for(returns).await }
            }),
            methods_of: Loader::new(move |users| {
                let payments = eight.clone();
                async move { payments.methods_of(users).await }
            }),
            gift_cards_of: Loader::new(move |users| {
                let payments = nine.clone();
                async move { payments.gift_cards_of(users).await }
            }),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}
