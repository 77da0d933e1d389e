//! Which passwords are good enough (after NIST SP 800-63B, section 5.1.1.2: length and a list of bad ones, no rules
//! about kinds of characters).

use super::email::Email;

/// Shortest password, in characters.
const SHORTEST: usize = 10;
/// Longest password, in bytes: hashing more than that would be work for an attacker to give us.
pub const LONGEST: usize = 256;
/// A password that repeats fewer characters than this is a pattern.
const FEWEST_DISTINCT: usize = 5;

/// Those of the most used passwords that are long enough to get past the length.
const COMMON: [&str; 16] = [
    "1234567890",
    "12345678910",
    "0987654321",
    "password12",
    "password123",
    "passw0rd123",
    "qwertyuiop",
    "qwerty123456",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "iloveyou123",
    "letmein123",
    "welcome123",
    "admin12345",
    "football123",
    "changeme123",
];

/// What is wrong with a password that is easily guessed.
pub fn weakness(password: &str, email: &Email) -> Option<&'static str> {
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    let length = distinct.len();
    distinct.sort_unstable();
    distinct.dedup();
    if length < SHORTEST {
        Some("it needs at least 10 characters")
    } else if password.len() > LONGEST {
        Some("it is longer than 256 bytes")
    } else if distinct.len() < FEWEST_DISTINCT {
        Some("it repeats too few characters")
    } else if COMMON.contains(&lower.as_str()) {
        Some("many people use it")
    } else if lower == email.as_str() || lower == email.local() {
        Some("it is your e-mail address")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_easily_guessed_are_refused() {
        let email = Email::parse("augusta.king@example.com").unwrap();
        let cases = [
            ("", false),
            ("short", false),
            ("ünïcödé12", false),
            ("aaaaaaaaaaaa", false),
            ("1212121212121212", false),
            ("Password123", false),
            ("Augusta.King", false),
            ("augusta.king@example.com", false),
            (&"abcdefghij".repeat(26) as &str, false),
            ("techpotli-demo", true),
            ("correct horse battery staple", true),
            ("пароль-подлиннее", true),
        ];
        for (password, good) in cases {
            assert_eq!(weakness(password, &email).is_none(), good, "{password}");
        }
    }
}
