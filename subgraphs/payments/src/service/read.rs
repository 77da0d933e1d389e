//! What is shown of payments, read in batches.

use std::collections::HashMap;
use std::hash::Hash;

use common::Fault;
use common::id::{CheckoutAttemptId, OrderId, PaymentId, RefundId, ReturnId, UserId};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::Payments;
use crate::entity::{gift_card, payment, payment_method, refund, transaction};

/// The digest under which a gift card's code is kept: codes are compared without dashes, blanks and case.
pub(crate) fn code_digest(code: &str) -> String {
    let plain: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    HEXLOWER.encode(&Sha256::digest(plain))
}

impl Payments {
    /// Whether somebody can pay by card in this currency.
    pub fn takes(&self, currency: common::Currency) -> bool {
        self.provider.supports(currency)
    }

    /// Payments by id.
    pub async fn payments(&self, ids: Vec<PaymentId>) -> Result<HashMap<PaymentId, payment::Model>, Fault> {
        let rows = payment::by_ids(self.ports.database.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// Refunds by id.
    pub async fn refunds(&self, ids: Vec<RefundId>) -> Result<HashMap<RefundId, refund::Model>, Fault> {
        let rows = refund::by_ids(self.ports.database.read(), ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The payments of orders, oldest first.
    pub async fn of_orders(
        &self,
        orders: Vec<OrderId>,
    ) -> Result<HashMap<OrderId, Vec<payment::Model>>, Fault> {
        let rows = payment::of_orders(self.ports.database.read(), orders).await?;
        Ok(grouped(rows, |row| row.order_id))
    }

    /// The payments of attempts.
    pub async fn of_attempts(
        &self,
        attempts: Vec<CheckoutAttemptId>,
    ) -> Result<HashMap<CheckoutAttemptId, payment::Model>, Fault> {
        let rows = payment::of_attempts(self.ports.database.read(), attempts).await?;
        Ok(rows.into_iter().map(|row| (row.attempt_id, row)).collect())
    }

    /// The transactions of payments, oldest first.
    pub async fn transactions(
        &self,
        payments: Vec<PaymentId>,
    ) -> Result<HashMap<PaymentId, Vec<transaction::Model>>, Fault> {
        let rows = transaction::of_payments(self.ports.database.read(), payments).await?;
        Ok(grouped(rows, |row| row.payment_id))
    }

    /// The refunds of payments, oldest first.
    pub async fn refunds_of(
        &self,
        payments: Vec<PaymentId>,
    ) -> Result<HashMap<PaymentId, Vec<refund::Model>>, Fault> {
        let rows = refund::of_payments(self.ports.database.read(), payments).await?;
        Ok(grouped(rows, |row| row.payment_id))
    }

    /// The refunds for returns, oldest first.
    pub async fn refunds_for(
        &self,
        returns: Vec<ReturnId>,
    ) -> Result<HashMap<ReturnId, Vec<refund::Model>>, Fault> {
        let rows = refund::of_returns(self.ports.database.read(), returns).await?;
        let mut found: HashMap<ReturnId, Vec<refund::Model>> = HashMap::new();
        for row in rows {
            if let Some(returned) = row.return_id {
                found.entry(returned).or_default().push(row);
            }
        }
        Ok(found)
    }

    /// The stored ways to pay of users.
    pub async fn methods_of(
        &self,
        users: Vec<UserId>,
    ) -> Result<HashMap<UserId, Vec<payment_method::Model>>, Fault> {
        let rows = payment_method::of_users(self.ports.database.read(), users).await?;
        Ok(grouped(rows, |row| row.user_id))
    }

    /// The gift cards of users.
    pub async fn gift_cards_of(
        &self,
        users: Vec<UserId>,
    ) -> Result<HashMap<UserId, Vec<gift_card::Model>>, Fault> {
        let mut found: HashMap<UserId, Vec<gift_card::Model>> = HashMap::new();
        for row in gift_card::of_users(self.ports.database.read(), users).await? {
            if let Some(user) = row.user_id {
                found.entry(user).or_default().push(row);
            }
        }
        Ok(found)
    }

    /// The gift card with this code.
    pub async fn gift_card(&self, code: &str) -> Result<Option<gift_card::Model>, Fault> {
        Ok(gift_card::by_digest(self.ports.database.read(), code_digest(code)).await?)
    }
}

fn grouped<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut found: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        found.entry(key(&row)).or_default().push(row);
    }
    found
}
