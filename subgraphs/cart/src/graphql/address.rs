//! Addresses of a cart.

use async_graphql::{InputObject, SimpleObject};
use subgraph::graphql::CountryCode;

use crate::domain::{Address, AddressFields, Refusal};

/// An address of a cart; a buyer may give some parts now and some later.
#[derive(SimpleObject)]
pub struct CartAddress {
    /// Who receives.
    pub recipient: Option<String>,
    /// Street and number.
    pub line1: Option<String>,
    /// What does not fit there.
    pub line2: Option<String>,
    /// The town.
    pub city: Option<String>,
    /// State or province.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country.
    pub country_code: CountryCode,
    /// Where to call.
    pub phone: Option<String>,
    /// Whether a checkout can do with it.
    pub complete: bool,
}

impl From<&Address> for CartAddress {
    fn from(address: &Address) -> Self {
        let fields = address.fields.clone();
        Self {
            recipient: fields.recipient,
            line1: fields.line1,
            line2: fields.line2,
            city: fields.city,
            region: fields.region,
            postal_code: fields.postal_code,
            country_code: CountryCode(address.country.clone()),
            phone: fields.phone,
            complete: address.is_complete(),
        }
    }
}

/// The parts of an address.
#[derive(InputObject)]
pub struct CartAddressFieldsInput {
    /// Who receives.
    pub recipient: Option<String>,
    /// Street and number.
    pub line1: Option<String>,
    /// What does not fit there.
    pub line2: Option<String>,
    /// The town.
    pub city: Option<String>,
    /// State or province.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country.
    pub country_code: CountryCode,
    /// Where to call.
    pub phone: Option<String>,
}

impl TryFrom<CartAddressFieldsInput> for Address {
    type Error = Refusal;

    fn try_from(input: CartAddressFieldsInput) -> Result<Self, Refusal> {
        let fields = AddressFields {
            recipient: input.recipient,
            line1: input.line1,
            line2: input.line2,
            city: input.city,
            region: input.region,
            postal_code: input.postal_code,
            phone: input.phone,
        };
        Self::parse(input.country_code.0, fields)
    }
}
