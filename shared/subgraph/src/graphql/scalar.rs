//! Scalars: validated texts and numbers that all subgraphs share.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use common::money::MAX_MINOR;
use common::{Currency, Fault, Timestamp};
use serde::Serialize;

/// A moment in UTC as an RFC 3339 text, such as `2026-01-31T12:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DateTime(pub Timestamp);

/// A moment in UTC as an RFC 3339 text, such as `2026-01-31T12:00:00.000Z`.
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map(Self).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// An ISO 4217 currency code, such as `EUR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CurrencyCode(pub Currency);

/// An ISO 4217 currency code, such as `EUR`.
#[Scalar(name = "CurrencyCode", specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map(Self).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().to_owned())
    }
}

/// An ISO 3166-1 alpha-2 country code, such as `DE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountryCode(pub String);

/// An ISO 3166-1 alpha-2 country code, such as `DE`.
#[Scalar(name = "CountryCode", specified_by_url = "https://www.iso.org/iso-3166-country-codes.html")]
impl ScalarType for CountryCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                Ok(Self(text))
            }
            Value::String(_) => Err(InputValueError::custom("not an ISO 3166-1 alpha-2 country code")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A BCP 47 language tag, such as `en` or `de-AT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LanguageTag(pub String);

/// A BCP 47 language tag, such as `en` or `de-AT`.
#[Scalar(name = "LanguageTag", specified_by_url = "https://www.rfc-editor.org/rfc/bcp/bcp47.txt")]
impl ScalarType for LanguageTag {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_language_tag(&text) => Ok(Self(text)),
            Value::String(_) => Err(InputValueError::custom("not a BCP 47 language tag")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn is_language_tag(text: &str) -> bool {
    (2..=35).contains(&text.len())
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// An amount in minor units of a currency: a whole number within ±(2^53 − 1), so that every JSON reader keeps it exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MinorUnits(pub i64);

/// An amount in minor units of a currency: a whole number within ±(2^53 − 1), so that every JSON reader keeps it exact.
#[Scalar(name = "MinorUnits")]
impl ScalarType for MinorUnits {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => number
                .as_i64()
                .filter(|minor| (-MAX_MINOR..=MAX_MINOR).contains(minor))
                .map(Self)
                .ok_or_else(|| InputValueError::custom("not a whole number within ±(2^53 − 1)")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

/// A decimal number as text, such as `19.99`. For display: calculate with minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decimal(pub String);

/// A decimal number as text, such as `19.99`. For display: calculate with minor units.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.parse::<rust_decimal::Decimal>().is_ok() => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A key that a client makes up, anew for each thing it wants done: sending the same request with the same key again
/// has no second effect. 8 to 200 visible ASCII characters; a UUID is a good one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdempotencyKey(pub String);

/// A key that a client makes up, anew for each thing it wants done: sending the same request with the same key again
/// has no second effect. 8 to 200 visible ASCII characters; a UUID is a good one.
#[Scalar(name = "IdempotencyKey")]
impl ScalarType for IdempotencyKey {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text)
                if (8..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                Ok(Self(text))
            }
            Value::String(_) => Err(InputValueError::custom("a key has 8 to 200 visible ASCII characters")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A request or a reply of a call between subgraphs. Clients never see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceCall(Value);

/// A request or a reply of a call between subgraphs. Clients never see it.
#[Scalar(name = "ServiceCall", inaccessible)]
impl ScalarType for ServiceCall {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl ServiceCall {
    /// The request inside.
    pub fn read<C: events::calls::Call>(self) -> Result<C, Fault> {
        async_graphql::from_value(self.0).map_err(|error| Fault::bad_input(error.to_string()))
    }

    /// A reply.
    pub fn reply<C: events::calls::Call>(reply: &C::Reply) -> Result<Self, Fault> {
        async_graphql::to_value(reply).map(Self).map_err(Fault::internal)
    }
}
