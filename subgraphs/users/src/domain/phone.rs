//! Telephone numbers, in international form.

/// Brings a number into the form of E.164 (`+` and 7 to 15 digits) or returns `None`. Spaces, dots, dashes and brackets
/// between the digits are dropped.
pub fn parse(text: &str) -> Option<String> {
    let digits = text.trim().strip_prefix('+')?;
    let mut number = String::from("+");
    for c in digits.chars() {
        match c {
            '0'..='9' => number.push(c),
            ' ' | '-' | '.' | '/' | '(' | ')' => {}
            _ => return None,
        }
    }
    let valid = (8..=16).contains(&number.len()) && !number.starts_with("+0");
    valid.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_international_and_written_one_way() {
        let cases = [
            ("+49 (30) 123-4567", Some("+49301234567")),
            (" +1.212.555.0100 ", Some("+12125550100")),
            ("030 1234567", None),
            ("+0301234567", None),
            ("+49 30", None),
            ("+1234567890123456", None),
            ("+49 30 CALLME0", None),
            ("", None),
        ];
        for (typed, read) in cases {
            assert_eq!(parse(typed).as_deref(), read, "{typed}");
        }
    }
}
