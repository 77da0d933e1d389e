//! Addresses: what is needed to deliver, and which is the default.

use async_graphql::Enum;
use common::id::AddressId;
use sea_orm::entity::prelude::*;

use super::{Refusal, country, phone};

/// Most addresses in a user's book.
pub const MOST_ADDRESSES: usize = 100;

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum AddressKind {
    /// Goods are sent there.
    #[sea_orm(string_value = "SHIPPING")]
    Shipping,
    /// Bills are sent there.
    #[sea_orm(string_value = "BILLING")]
    Billing,
    /// Goods and bills are sent there.
    #[sea_orm(string_value = "BOTH")]
    Both,
}

impl AddressKind {
    /// Whether goods may be sent there.
    pub const fn ships(self) -> bool {
        matches!(self, Self::Shipping | Self::Both)
    }

    /// Whether bills may be sent there.
    pub const fn bills(self) -> bool {
        matches!(self, Self::Billing | Self::Both)
    }
}

/// An address as somebody typed it, or, once [`Draft::check`]ed, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub kind: AddressKind,
    pub recipient: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub country: String,
    pub phone: Option<String>,
}

impl Draft {
    /// The address without space around its parts, or what is wrong with it.
    pub fn check(self) -> Result<Self, Refusal> {
        let checked = Self {
            kind: self.kind,
            recipient: required("recipient", &self.recipient, 200)?,
            line1: required("line1", &self.line1, 200)?,
            line2: optional("line2", self.line2.as_deref(), 200)?,
            city: required("city", &self.city, 100)?,
            region: optional("region", self.region.as_deref(), 100)?,
            postal_code: optional("postalCode", self.postal_code.as_deref(), 20)?
                .map(|code| code.to_uppercase()),
            country: self.country,
            phone: match optional("phone", self.phone.as_deref(), 32)? {
                None => None,
                Some(number) => {
                    let reason = "write it in international form, such as +49 30 1234567";
                    Some(phone::parse(&number).ok_or(Refusal::Address("phone", reason))?)
                }
            },
        };
        if !country::exists(&checked.country) {
            return Err(Refusal::Address("countryCode", "there is no such country"));
        }
        if !country::takes_postal_code(&checked.country, checked.postal_code.as_deref()) {
            return Err(Refusal::Address("postalCode", "it is not one of that country"));
        }
        Ok(checked)
    }
}

fn required(field: &'static str, text: &str, longest: usize) -> Result<String, Refusal> {
    optional(field, Some(text), longest)?.ok_or(Refusal::Address(field, "it is needed"))
}

fn optional(field: &'static str, text: Option<&str>, longest: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > longest {
        return Err(Refusal::Address(field, "it is too long"));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::Address(field, "it must stand on one line"));
    }
    Ok(Some(text.to_owned()))
}

/// Which address is the default after a change: the one that was, while it still serves; else the oldest that does.
pub fn default_of(
    current: Option<AddressId>,
    book: &[(AddressId, AddressKind)],
    serves: fn(AddressKind) -> bool,
) -> Option<AddressId> {
    let mut serving = book.iter().filter(|(_, kind)| serves(*kind)).map(|(id, _)| *id);
    match current {
        Some(id) if serving.clone().any(|other| other == id) => current,
        _ => serving.next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    fn draft() -> Draft {
        Draft {
            kind: AddressKind::Both,
            recipient: " Ada King ".into(),
            line1: "12 St James's Square".into(),
            line2: Some("  ".into()),
            city: "London".into(),
            region: None,
            postal_code: Some("sw1y 4jh".into()),
            country: "GB".into(),
            phone: Some("+44 20 7946 0000".into()),
        }
    }

    #[test]
    fn an_address_is_stored_tidily() {
        let checked = draft().check().unwrap();
        assert_eq!(checked.recipient, "Ada King");
        assert_eq!(checked.line2, None);
        assert_eq!(checked.postal_code.as_deref(), Some("SW1Y 4JH"));
        assert_eq!(checked.phone.as_deref(), Some("+442079460000"));
    }

    #[test]
    fn what_is_wrong_is_named_by_field() {
        type Spoil = fn(&mut Draft);
        let cases: [(Spoil, &str); 9] = [
            (|d| d.recipient = " ".into(), "recipient"),
            (|d| d.recipient = "x".repeat(201), "recipient"),
            (|d| d.line1 = "one\ntwo".into(), "line1"),
            (|d| d.city = String::new(), "city"),
            (|d| d.region = Some("x".repeat(101)), "region"),
            (|d| d.postal_code = Some("12345".into()), "postalCode"),
            (|d| d.postal_code = None, "postalCode"),
            (|d| d.country = "XX".into(), "countryCode"),
            (|d| d.phone = Some("call me".into()), "phone"),
        ];
        for (spoil, field) in cases {
            let mut draft = draft();
            spoil(&mut draft);
            assert!(matches!(draft.check(), Err(Refusal::Address(at, _)) if at == field), "{field}");
        }
    }

    #[test]
    fn the_first_address_that_serves_is_the_default_until_it_no_longer_does() {
        use AddressKind::{Billing, Both, Shipping};
        let ids = Ids::counted();
        let (a, b, c) = (ids.next(), ids.next(), ids.next());
        let cases = [
            (None, vec![], None),
            (None, vec![(a, Billing)], None),
            (None, vec![(a, Billing), (b, Both)], Some(b)),
            (Some(c), vec![(a, Shipping), (b, Both), (c, Shipping)], Some(c)),
            (Some(c), vec![(a, Shipping), (b, Both), (c, Billing)], Some(a)),
        ];
        for (current, book, expected) in cases {
            assert_eq!(default_of(current, &book, AddressKind::ships), expected, "{book:?}");
        }
    }
}
