//! Alerts for what is sold out.

use super::Refusal;

/// Most alerts that wait for one address.
pub const MOST_WAITING: u64 = 100;

/// Brings an address into the form in which it is stored.
pub fn email(text: &str) -> Result<String, Refusal> {
    let text = text.trim().to_lowercase();
    let plain = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
    let valid = text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            plain(local)
                && plain(domain)
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
                && domain.contains('.')
        })
        && !text.contains(['<', '>', ',', ';', '"']);
    if valid { Ok(text) } else { Err(Refusal::EmailInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised_and_nonsense_is_refused() {
        assert_eq!(email(" Ada@Example.com"), Ok("ada@example.com".into()));
        let cases = [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a@b@c.de",
            "ada@example..com",
            "a da@example.com",
            "ada@example.com\r\nbcc: eve@example.com",
            "ada@example.com, eve@example.com",
        ];
        for text in cases {
            assert_eq!(email(text), Err(Refusal::EmailInvalid), "{text:?}");
        }
    }
}
