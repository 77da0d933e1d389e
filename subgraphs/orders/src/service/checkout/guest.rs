//! The token by which a guest reads an order: 256 bits that only the shop's key can make from the attempt, so that an
//! answer sent twice carries the same one although only its digest is stored.

use common::id::CheckoutAttemptId;
use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq as _;

use super::{Orders, digest};
use crate::entity::{checkout_attempt, order};

impl Orders {
    /// The token of the order that an attempt of a guest made; `None` for a buyer with an account, and where the order
    /// knows another one (after a change of keys).
    pub fn guest_token(&self, attempt: &checkout_attempt::Model, order: &order::Model) -> Option<String> {
        if order.customer_id.is_some() {
            return None;
        }
        let token = self.make_guest_token(attempt.id);
        opens(order, &token).then_some(token)
    }

    /// What is stored of the token.
    pub(super) fn guest_token_hash(&self, attempt: CheckoutAttemptId) -> String {
        digest(self.make_guest_token(attempt).as_bytes())
    }

    fn make_guest_token(&self, attempt: CheckoutAttemptId) -> String {
        let secret = self.ports.keys.passport.secret_for("guest order", attempt.uuid().as_bytes());
        BASE64URL_NOPAD.encode(&secret)
    }
}

/// Whether a guest with this token may read the order.
pub(in crate::service) fn opens(order: &order::Model, token: &str) -> bool {
    let known = order.guest_token_hash.as_deref().unwrap_or_default();
    known.as_bytes().ct_eq(digest(token.as_bytes()).as_bytes()).into()
}
