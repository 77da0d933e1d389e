//! Sales channels.

use common::id::ChannelId;
use common::{Currency, Fault};

use crate::entity::channel::Model;

/// A sales channel with its lists read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: ChannelId,
    pub code: String,
    pub default_currency: Currency,
    pub currencies: Vec<Currency>,
    pub locales: Vec<String>,
    pub countries: Vec<String>,
    pub prices_include_tax: bool,
}

impl TryFrom<Model> for Channel {
    type Error = Fault;

    fn try_from(row: Model) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            code: row.code,
            default_currency: row.default_currency,
            currencies: serde_json::from_str(&row.currencies).map_err(Fault::internal)?,
            locales: serde_json::from_str(&row.locales).map_err(Fault::internal)?,
            countries: serde_json::from_str(&row.countries).map_err(Fault::internal)?,
            prices_include_tax: row.prices_include_tax,
        })
    }
}
