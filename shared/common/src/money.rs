//! Money in integer minor units. No float touches it; rounding is half-even, at the line, here.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, QueryResult, TryGetError, TryGetable, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest amount that a JSON number carries exactly (RFC 8259, section 6): 2^53 − 1 minor units.
pub const MAX_MINOR: i64 = (1 << 53) - 1;

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text that is no ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code")]
pub struct ParseCurrencyError;

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// Yen, without minor units.
    pub const JPY: Self = Self(*b"JPY");
    /// Kuwaiti dinar, with three digits.
    pub const KWD: Self = Self(*b"KWD");

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits behind the point: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u32 {
        match &self.0 {
            b"USD" | b"EUR" => 2,
            _ => iso_currency::Currency::from_code(self.code())
                .and_then(iso_currency::Currency::exponent)
                .map_or(2, u32::from),
        }
    }
}

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(text: &str) -> Result<Self, ParseCurrencyError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| ParseCurrencyError)?;
        iso_currency::Currency::from_code(text).map(|_| Self(code)).ok_or(ParseCurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<Currency> for Value {
    fn from(currency: Currency) -> Self {
        currency.code().into()
    }
}

impl TryGetable for Currency {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let text = String::try_get_by(row, index)?;
        text.parse().map_err(|error: ParseCurrencyError| {
            TryGetError::DbErr(sea_orm::DbErr::Type(format!("currency: {error}")))
        })
    }
}

impl ValueType for Currency {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <String as ValueType>::try_from(value)?.parse().map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        "Currency".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::String(StringLen::N(3))
    }
}

impl Nullable for Currency {
    fn null() -> Value {
        <String as Nullable>::null()
    }
}

impl sea_orm::TryFromU64 for Currency {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("Currency"))
    }
}

impl sea_orm::IntoActiveValue<Currency> for Currency {
    fn into_active_value(self) -> sea_orm::ActiveValue<Currency> {
        sea_orm::ActiveValue::Set(self)
    }
}

/// An amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// Minor units: cents of USD, yen of JPY, fils of KWD.
    pub minor: i64,
    /// What the amount is in.
    pub currency: Currency,
}

impl Money {
    /// So many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The sum; `None` where currencies differ or the sum leaves ±(2^53 − 1).
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Self::bounded(i128::from(self.minor) + i128::from(other.minor), self.currency)
    }

    /// The difference; `None` as with [`Money::checked_add`].
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { minor: other.minor.checked_neg()?, ..other })
    }

    /// So many of it; `None` where the product leaves ±(2^53 − 1).
    #[must_use]
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        Self::bounded(i128::from(self.minor) * i128::from(times), self.currency)
    }

    /// `basis_points` ten-thousandths of it, rounded half-even; `None` where that leaves ±(2^53 − 1).
    #[must_use]
    pub fn share(self, basis_points: i64) -> Option<Self> {
        Self::bounded(half_even(i128::from(self.minor) * i128::from(basis_points), 10_000), self.currency)
    }

    /// The part of a gross amount that is tax of `basis_points`, rounded half-even.
    #[must_use]
    pub fn included_tax(self, basis_points: i64) -> Option<Self> {
        let numerator = i128::from(self.minor) * i128::from(basis_points);
        Self::bounded(half_even(numerator, 10_000 + i128::from(basis_points)), self.currency)
    }

    /// `self * numerator / denominator`, rounded half-even: how a discount falls on one of several lines.
    #[must_use]
    pub fn fraction(self, numerator: i64, denominator: i64) -> Option<Self> {
        if denominator <= 0 {
            return None;
        }
        Self::bounded(
            half_even(i128::from(self.minor) * i128::from(numerator), i128::from(denominator)),
            self.currency,
        )
    }

    fn bounded(minor: i128, currency: Currency) -> Option<Self> {
        let minor = <i64 as TryFrom<i128>>::try_from(minor).ok()?;
        (-MAX_MINOR..=MAX_MINOR).contains(&minor).then_some(Self { minor, currency })
    }
}

/// The amount in major units with the currency's digits: `19.99`, `-0.050`, `1200`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.digits();
        let unit = 10u64.pow(digits);
        let size = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        match digits {
            0 => write!(f, "{sign}{size}"),
            _ => write!(f, "{sign}{}.{:0width$}", size / unit, size % unit, width = digits as usize),
        }
    }
}

/// `numerator / denominator` to the nearest integer, halves to the even one (IEEE 754 roundTiesToEven).
fn half_even(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator) * 2;
    match twice.cmp(&denominator) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even() {
        for (minor, points, rounded) in
            [(5, 1_000, 0), (15, 1_000, 2), (25, 1_000, 2), (-15, 1_000, -2), (16, 1_000, 2)]
        {
            assert_eq!(Money::new(minor, Currency::USD).share(points).unwrap().minor, rounded, "{minor}");
        }
    }

    #[test]
    fn amounts_print_with_their_currencys_digits() {
        for (minor, currency, text) in [
            (1999, Currency::USD, "19.99"),
            (-5, Currency::EUR, "-0.05"),
            (1200, Currency::JPY, "1200"),
            (50, Currency::KWD, "0.050"),
        ] {
            assert_eq!(Money::new(minor, currency).to_string(), text);
        }
    }

    #[test]
    fn currencies_do_not_mix_and_sums_do_not_overflow() {
        assert_eq!(Money::new(1, Currency::USD).checked_add(Money::new(1, Currency::EUR)), None);
        assert_eq!(Money::new(MAX_MINOR, Currency::USD).checked_add(Money::new(1, Currency::USD)), None);
        assert_eq!(Money::new(MAX_MINOR, Currency::USD).checked_mul(2), None);
    }

    #[test]
    fn tax_inside_a_gross_amount_is_found() {
        assert_eq!(Money::new(11_900, Currency::EUR).included_tax(1_900).unwrap().minor, 1_900);
    }
}
