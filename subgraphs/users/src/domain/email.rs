//! Mail addresses, normalised so that one person has one account.

use std::fmt;

use super::Refusal;

/// Longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const LONGEST: usize = 254;
/// Longest part before the `@`.
const LONGEST_LOCAL: usize = 64;

/// A mail address in lower case without space around it. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads what somebody typed.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim().to_lowercase();
        if is_address(&text) { Ok(Self(text)) } else { Err(Refusal::EmailInvalid) }
    }

    /// Brings any text into the form of an address, to look for it or to count tries with: whether it is an address at
    /// all makes no difference there.
    pub fn normalised(text: &str) -> Self {
        Self(text.trim().to_lowercase())
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= LONGEST && is_local(local) && is_domain(domain)
}

/// A dot-atom (RFC 5322, section 3.2.3), letters outside ASCII allowed (RFC 6531). Quoted forms are refused.
fn is_local(local: &str) -> bool {
    (1..=LONGEST_LOCAL).contains(&local.len())
        && local.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        })
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_type_them() {
        let cases = [
            (" Ada.Lovelace@Example.COM ", "ada.lovelace@example.com"),
            ("ada+shop@example.co.uk", "ada+shop@example.co.uk"),
            ("müller@bücher.example", "müller@bücher.example"),
            ("o'neil@a-b.example", "o'neil@a-b.example"),
        ];
        for (typed, read) in cases {
            assert_eq!(Email::parse(typed).unwrap().as_str(), read);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let cases = [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@@example.com",
            "ada@example..com",
            "ada@-example.com",
            ".ada@example.com",
            "a..da@example.com",
            "ada lovelace@example.com",
            "ada@example.com\nbcc: eve@example.com",
            "<ada@example.com>",
            long.as_str(),
        ];
        for typed in cases {
            assert_eq!(Email::parse(typed).err(), Some(Refusal::EmailInvalid), "{typed:?}");
        }
    }
}
