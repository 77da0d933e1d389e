//! Money in the schema.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, InputObject, Object, OutputType, Positioned, ServerResult, Value};
use serde::Serialize;

use super::{CurrencyCode, Decimal, InOrder, MinorUnits};

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money(pub common::Money);

/// Money with its fields. It stands in nearly every answer many times, so [`Money`] resolves it [`InOrder`].
#[derive(Clone, Copy)]
struct Amount(common::Money);

/// An amount of money in a currency.
#[Object(name = "Money", shareable)]
impl Amount {
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

impl OutputType for Money {
    fn type_name() -> Cow<'static, str> {
        <Amount as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Amount::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        InOrder(Amount(self.0)).resolve(context, field).await
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
