//! Postal addresses as a buyer enters them, part by part, and e-mail addresses.

use events::calls::cart::PostalAddress;
use serde::{Deserialize, Serialize};

use super::Refusal;

/// Longest part of an address, in characters.
const LONGEST: usize = 200;
/// Longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the brackets).
const LONGEST_EMAIL: usize = 254;
/// Countries without postal codes.
const WITHOUT_POSTAL_CODE: [&str; 8] = ["AE", "AO", "BH", "BS", "HK", "KW", "OM", "QA"];

/// The parts of an address; a buyer may give some now and some later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressFields {
    pub recipient: Option<String>,
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub phone: Option<String>,
}

/// An address in a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    #[serde(flatten)]
    pub fields: AddressFields,
}

impl Address {
    /// Checks what a buyer entered; blanks around and blank parts are dropped.
    pub fn parse(country: String, fields: AddressFields) -> Result<Self, Refusal> {
        let part = |name, text: Option<String>| match text.map(|text| text.trim().to_owned()) {
            Some(text) if text.chars().count() > LONGEST => Err(Refusal::BadAddress(name)),
            Some(text) if text.is_empty() => Ok(None),
            text => Ok(text),
        };
        let fields = AddressFields {
            recipient: part("recipient", fields.recipient)?,
            line1: part("line1", fields.line1)?,
            line2: part("line2", fields.line2)?,
            city: part("city", fields.city)?,
            region: part("region", fields.region)?,
            postal_code: part("postalCode", fields.postal_code)?,
            phone: part("phone", fields.phone)?,
        };
        Ok(Self { country, fields })
    }

    /// Whether a parcel would arrive.
    pub fn is_complete(&self) -> bool {
        self.postal().is_some()
    }

    /// The address as orders need it, where it is complete.
    pub fn postal(&self) -> Option<PostalAddress> {
        let fields = &self.fields;
        let postal_code = match &fields.postal_code {
            Some(code) => code.clone(),
            None if WITHOUT_POSTAL_CODE.contains(&self.country.as_str()) => String::new(),
            None => return None,
        };
        Some(PostalAddress {
            recipient: fields.recipient.clone()?,
            line1: fields.line1.clone()?,
            line2: fields.line2.clone(),
            city: fields.city.clone()?,
            region: fields.region.clone(),
            postal_code,
            country: self.country.clone(),
            phone: fields.phone.clone(),
        })
    }
}

impl From<PostalAddress> for Address {
    fn from(postal: PostalAddress) -> Self {
        let fields = AddressFields {
            recipient: Some(postal.recipient),
            line1: Some(postal.line1),
            line2: postal.line2,
            city: Some(postal.city),
            region: postal.region,
            postal_code: Some(postal.postal_code).filter(|code| !code.is_empty()),
            phone: postal.phone,
        };
        Self { country: postal.country, fields }
    }
}

/// An e-mail address that can be written to, as far as its form tells; blanks around it are dropped.
pub fn check_email(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@').ok_or(Refusal::BadEmail)?;
    let label_is_good = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let good = text.len() <= LONGEST_EMAIL
        && (1..=64).contains(&local.len())
        && !local.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@' || c == '<' || c == '>')
        && domain.contains('.')
        && domain.split('.').all(label_is_good);
    if good { Ok(text.to_owned()) } else { Err(Refusal::BadEmail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_a_name_and_a_domain_with_a_dot() {
        for (text, good) in [
            ("ada@example.com", true),
            (" ada.l+shop@mail.example.co.uk ", true),
            ("müller@bücher.example", true),
            ("ada", false),
            ("ada@example", false),
            ("@example.com", false),
            ("ada@.com", false),
            ("ada@example..com", false),
            ("a da@example.com", false),
            ("a@b@example.com", false),
            ("ada@-example.com", false),
            ("<ada@example.com>", false),
        ] {
            assert_eq!(check_email(text).is_ok(), good, "{text}");
        }
        assert!(check_email(&format!("{}@example.com", "x".repeat(65))).is_err());
    }

    fn fields() -> AddressFields {
        AddressFields {
            recipient: Some(" Ada ".into()),
            line1: Some("Main St 1".into()),
            city: Some("Springfield".into()),
            postal_code: Some("12345".into()),
            region: Some("  ".into()),
            ..AddressFields::default()
        }
    }

    #[test]
    fn an_address_is_complete_with_name_street_town_and_postal_code() {
        let address = Address::parse("US".into(), fields()).unwrap();
        assert!(address.is_complete());
        assert_eq!(address.fields.recipient.as_deref(), Some("Ada"));
        assert_eq!(address.fields.region, None);
        for missing in [
            AddressFields { recipient: None, ..fields() },
            AddressFields { line1: Some(" ".into()), ..fields() },
            AddressFields { city: None, ..fields() },
            AddressFields { postal_code: None, ..fields() },
        ] {
            assert!(!Address::parse("US".into(), missing).unwrap().is_complete());
        }
    }

    #[test]
    fn countries_without_postal_codes_need_none() {
        let fields = AddressFields { postal_code: None, ..fields() };
        assert!(Address::parse("KW".into(), fields).unwrap().is_complete());
    }

    #[test]
    fn endless_parts_are_refused() {
        let fields = AddressFields { city: Some("x".repeat(201)), ..fields() };
        assert_eq!(Address::parse("US".into(), fields), Err(Refusal::BadAddress("city")));
    }
}
