//! Sales channels.

use async_graphql::{ID, Object};
use subgraph::graphql::{CountryCode, CurrencyCode, LanguageTag};

use crate::domain;

/// A sales channel: where, in which currencies and in which languages the shop sells.
pub struct Channel(pub domain::Channel);

/// A sales channel: where, in which currencies and in which languages the shop sells.
#[Object]
impl Channel {
    /// The channel's id.
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The channel's name for programs, such as `us`: send it as the `x-channel` header.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The currency in which prices are shown unless another is asked for.
    async fn default_currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.default_currency)
    }

    /// The currencies that prices are there in.
    async fn currencies(&self) -> Vec<CurrencyCode> {
        self.0.currencies.iter().copied().map(CurrencyCode).collect()
    }

    /// The languages that texts are there in.
    async fn locales(&self) -> Vec<LanguageTag> {
        self.0.locales.iter().cloned().map(LanguageTag).collect()
    }

    /// The countries that goods are sent to.
    async fn countries(&self) -> Vec<CountryCode> {
        self.0.countries.iter().cloned().map(CountryCode).collect()
    }

    /// Whether prices are shown with the tax inside.
    async fn prices_include_tax(&self) -> bool {
        self.0.prices_include_tax
    }
}
