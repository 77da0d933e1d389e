//! Taxes by country and class, as a table. Rates are in basis points: 1,900 is 19%.

/// How a product is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxClass {
    Standard,
    Reduced,
    Zero,
}

impl TaxClass {
    /// From the catalogue's text; what is unknown is taxed in full.
    pub fn parse(text: &str) -> Self {
        match text {
            "reduced" => Self::Reduced,
            "zero" => Self::Zero,
            _ => Self::Standard,
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Reduced => "reduced",
            Self::Zero => "zero",
        }
    }
}

/// Country, standard rate, reduced rate. Countries that are not listed are not taxed by us.
const RATES: [(&str, i64, i64); 27] = [
    ("AE", 500, 0),
    ("AT", 2_000, 1_000),
    ("AU", 1_000, 0),
    ("BE", 2_100, 600),
    ("CA", 500, 0),
    ("CH", 810, 260),
    ("CZ", 2_100, 1_200),
    ("DE", 1_900, 700),
    ("DK", 2_500, 2_500),
    ("ES", 2_100, 1_000),
    ("FI", 2_550, 1_400),
    ("FR", 2_000, 550),
    ("GB", 2_000, 0),
    ("GR", 2_400, 1_300),
    ("IE", 2_300, 1_350),
    ("IT", 2_200, 1_000),
    ("JP", 1_000, 800),
    ("KW", 0, 0),
    ("LU", 1_700, 800),
    ("NL", 2_100, 900),
    ("NO", 2_500, 1_500),
    ("PL", 2_300, 800),
    ("PT", 2_300, 600),
    ("SA", 1_500, 1_500),
    ("SE", 2_500, 1_200),
    ("SK", 2_300, 1_900),
    ("US", 825, 0),
];

/// States without a sales tax.
const UNTAXED_STATES: [&str; 5] = ["AK", "DE", "MT", "NH", "OR"];

/// The rate for goods of a class that are sent there.
pub fn rate(country: &str, region: Option<&str>, class: TaxClass) -> i64 {
    if country == "US" && region.is_some_and(|region| UNTAXED_STATES.contains(&region)) {
        return 0;
    }
    let found = RATES.iter().find(|(code, ..)| *code == country);
    match (found, class) {
        (None, _) | (_, TaxClass::Zero) => 0,
        (Some((_, standard, _)), TaxClass::Standard) => *standard,
        (Some((_, _, reduced)), TaxClass::Reduced) => *reduced,
    }
}

/// Whether list prices of the channel include the tax. In the United States it comes on top, and Kuwait has none.
pub fn is_included(channel: &str) -> bool {
    !matches!(channel, "us" | "kw")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_country_state_and_class() {
        use TaxClass::{Reduced, Standard, Zero};
        for (country, region, class, expected) in [
            ("DE", None, Standard, 1_900),
            ("DE", None, Reduced, 700),
            ("DE", None, Zero, 0),
            ("FR", None, Reduced, 550),
            ("GB", None, Reduced, 0),
            ("JP", None, Standard, 1_000),
            ("JP", None, Reduced, 800),
            ("KW", None, Standard, 0),
            ("US", None, Standard, 825),
            ("US", Some("CA"), Standard, 825),
            ("US", Some("OR"), Standard, 0),
            ("DE", Some("OR"), Standard, 1_900),
            ("XX", None, Standard, 0),
        ] {
            assert_eq!(rate(country, region, class), expected, "{country} {region:?} {class:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_taxed_in_full() {
        assert_eq!(TaxClass::parse("luxury"), TaxClass::Standard);
        for class in [TaxClass::Standard, TaxClass::Reduced, TaxClass::Zero] {
            assert_eq!(TaxClass::parse(class.as_str()), class);
        }
    }
}
