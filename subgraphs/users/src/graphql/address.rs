//! Addresses.

use std::sync::Arc;

use async_graphql::{ID, InputObject, Object};
use events::calls::cart::PostalAddress;
use subgraph::graphql::CountryCode;

use crate::domain::address::{AddressKind, Draft};
use crate::entity::address;

/// An address in a user's address book.
pub struct Address(Arc<address::Model>);

impl From<address::Model> for Address {
    fn from(row: address::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// An address as other subgraphs take it.
pub fn postal(row: address::Model) -> PostalAddress {
    PostalAddress {
        recipient: row.recipient,
        line1: row.line1,
        line2: row.line2,
        city: row.city,
        region: row.region,
        postal_code: row.postal_code.unwrap_or_default(),
        country: row.country,
        phone: row.phone,
    }
}

/// An address in a user's address book.
#[Object]
impl Address {
    /// The address's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What the address is for.
    async fn kind(&self) -> AddressKind {
        self.0.kind
    }

    /// Who receives what is sent there.
    async fn recipient(&self) -> &str {
        &self.0.recipient
    }

    /// Street and number.
    async fn line1(&self) -> &str {
        &self.0.line1
    }

    /// What does not fit in the first line: flat, floor, care of.
    async fn line2(&self) -> Option<&str> {
        self.0.line2.as_deref()
    }

    /// The town.
    async fn city(&self) -> &str {
        &self.0.city
    }

    /// The state or province.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The postal code, where the country has them.
    async fn postal_code(&self) -> Option<&str> {
        self.0.postal_code.as_deref()
    }

    /// The country.
    async fn country_code(&self) -> CountryCode {
        CountryCode(self.0.country.clone())
    }

    /// Whom the carrier calls: digits after a `+` and the country's number.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }
}

/// An address to keep.
#[derive(InputObject)]
pub struct AddressUpsertInput {
    /// Which address is changed; none adds one.
    pub id: Option<ID>,
    /// What the address is for. The first address for a purpose becomes the default for it.
    pub kind: AddressKind,
    /// Who receives what is sent there; at most 200 characters.
    pub recipient: String,
    /// Street and number; at most 200 characters.
    pub line1: String,
    /// What does not fit in the first line; at most 200 characters.
    pub line2: Option<String>,
    /// The town; at most 100 characters.
    pub city: String,
    /// The state or province; at most 100 characters.
    pub region: Option<String>,
    /// The postal code. Many countries need one, in their own form.
    pub postal_code: Option<String>,
    /// The country.
    pub country_code: CountryCode,
    /// Whom the carrier calls, in international form such as `+49 30 1234567`.
    pub phone: Option<String>,
}

impl From<AddressUpsertInput> for Draft {
    fn from(input: AddressUpsertInput) -> Self {
        Self {
            kind: input.kind,
            recipient: input.recipient,
            line1: input.line1,
            line2: input.line2,
            city: input.city,
            region: input.region,
            postal_code: input.postal_code,
            country: input.country_code.0,
            phone: input.phone,
        }
    }
}
