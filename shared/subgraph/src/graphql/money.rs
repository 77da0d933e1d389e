//! Money in the schema.

use async_graphql::{InputObject, Object};
use serde::Serialize;

use super::{CurrencyCode, Decimal, MinorUnits};

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money(pub common::Money);

/// An amount of money in a currency.
#[Object(shareable)]
impl Money {
    /// The amount in minor units of the currency: cents of USD, yen of JPY.
    async fn amount_minor(&self) -> MinorUnits {
        MinorUnits(self.0.minor)
    }

    /// The currency.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency)
    }

    /// The amount in major units with the digits of the currency, such as `19.99`.
    async fn amount(&self) -> Decimal {
        Decimal(self.0.to_string())
    }
}

impl From<common::Money> for Money {
    fn from(money: common::Money) -> Self {
        Self(money)
    }
}

/// An amount of money in a currency.
#[derive(Debug, Clone, InputObject, Serialize)]
pub struct MoneyInput {
    /// The amount in minor units of the currency.
    pub amount_minor: MinorUnits,
    /// The currency.
    pub currency: CurrencyCode,
}

impl From<MoneyInput> for common::Money {
    fn from(input: MoneyInput) -> Self {
        Self::new(input.amount_minor.0, input.currency.0)
    }
}
