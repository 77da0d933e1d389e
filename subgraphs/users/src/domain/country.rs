//! Countries and their postal codes.

/// ISO 3166-1 alpha-2 codes in use.
const CODES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO \
JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR \
MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO \
RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The shapes of postal codes, where a country has one and mail does not arrive without: `9` is a digit, `A` a letter, and
/// everything else itself.
const POSTAL_CODES: [(&str, &[&str]); 20] = [
    ("US", &["99999", "99999-9999"]),
    ("DE", &["99999"]),
    ("FR", &["99999"]),
    ("ES", &["99999"]),
    ("IT", &["99999"]),
    ("FI", &["99999"]),
    ("AT", &["9999"]),
    ("CH", &["9999"]),
    ("BE", &["9999"]),
    ("DK", &["9999"]),
    ("NO", &["9999"]),
    ("AU", &["9999"]),
    ("NL", &["9999 AA", "9999AA"]),
    ("SE", &["999 99", "99999"]),
    ("PL", &["99-999"]),
    ("CZ", &["999 99", "99999"]),
    ("PT", &["9999-999"]),
    ("JP", &["999-9999", "9999999"]),
    ("CA", &["A9A 9A9", "A9A9A9"]),
    ("GB", &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"]),
];

/// Whether this is the code of a country.
pub fn exists(code: &str) -> bool {
    code.len() == 2 && CODES.split(' ').any(|known| known == code)
}

/// Whether a country's mail can be sent with this postal code, or with none.
pub fn takes_postal_code(country: &str, postal_code: Option<&str>) -> bool {
    let shapes = POSTAL_CODES.iter().find(|(code, _)| *code == country).map(|(_, shapes)| *shapes);
    match (shapes, postal_code) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(shapes), Some(code)) => shapes.iter().any(|shape| fits(shape, code)),
    }
}

fn fits(shape: &str, code: &str) -> bool {
    shape.len() == code.len()
        && shape.bytes().zip(code.bytes()).all(|(wanted, found)| match wanted {
            b'9' => found.is_ascii_digit(),
            b'A' => found.is_ascii_uppercase(),
            other => found == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_249_countries() {
        assert_eq!(CODES.split(' ').count(), 249);
        assert!(exists("DE") && exists("KW"));
        assert!(!exists("XX") && !exists("") && !exists("D") && !exists("E "));
    }

    #[test]
    fn postal_codes_have_the_shape_of_their_country() {
        let cases = [
            ("US", Some("94110"), true),
            ("US", Some("94110-1234"), true),
            ("US", Some("9411"), false),
            ("US", None, false),
            ("GB", Some("SW1A 1AA"), true),
            ("GB", Some("94110"), false),
            ("JP", Some("150-0001"), true),
            ("KW", None, true),
            ("IE", Some("anything"), true),
        ];
        for (country, code, taken) in cases {
            assert_eq!(takes_postal_code(country, code), taken, "{country} {code:?}");
        }
    }
}
