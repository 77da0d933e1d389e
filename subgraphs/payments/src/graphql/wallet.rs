//! Ways to pay and gift cards in the schema.

use async_graphql::{ID, Interface, SimpleObject};
use subgraph::graphql::{DateTime, Money};

use super::payment::{Payment, Refund};
use crate::entity::{gift_card, payment_method};

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
pub enum Node {
    Payment(Payment),
    Refund(Refund),
    PaymentMethod(PaymentMethod),
    GiftCard(GiftCard),
}

/// A way to pay that a user keeps.
#[derive(SimpleObject)]
pub struct PaymentMethod {
    /// The way's id: what a checkout takes in place of a token.
    #[graphql(owned)]
    pub id: ID,
    /// What kind of thing: `card`.
    pub kind: String,
    /// Whose card it is, such as `visa`.
    pub brand: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
    /// The month it expires in, 1 to 12.
    pub exp_month: Option<i32>,
    /// The year it expires in.
    pub exp_year: Option<i32>,
}

impl From<payment_method::Model> for PaymentMethod {
    fn from(row: payment_method::Model) -> Self {
        Self {
            id: row.id.into(),
            kind: row.kind,
            brand: row.brand,
            last4: row.last4,
            exp_month: row.exp_month,
            exp_year: row.exp_year,
        }
    }
}

/// A card with money on it.
#[derive(SimpleObject)]
pub struct GiftCard {
    /// The gift card's id, which is not its code.
    #[graphql(owned)]
    pub id: ID,
    /// The last four characters of its code.
    pub last4: String,
    /// What is on it.
    pub balance: Money,
    /// When it expires.
    pub expires_at: Option<DateTime>,
}

impl From<gift_card::Model> for GiftCard {
    fn from(row: gift_card::Model) -> Self {
        Self {
            id: row.id.into(),
            last4: row.last4,
            balance: common::Money::new(row.balance, row.currency).into(),
            expires_at: row.expires_at.map(DateTime),
        }
    }
}

/// A way in which a cart can be paid for.
#[derive(SimpleObject)]
pub struct AvailablePaymentMethod {
    /// The way's name for programs: `card`.
    pub code: String,
    /// Its name for people.
    pub title: String,
    /// Whether users can keep one for the next time.
    pub supports_stored: bool,
}
