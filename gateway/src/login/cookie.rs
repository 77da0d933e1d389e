//! The gateway's cookies. All that a browser holds of a log-in are random texts in them.

use axum::http::{HeaderMap, HeaderValue, header};
use data_encoding::BASE64URL_NOPAD;
use rand::RngCore as _;

/// How cookies are named and set, by the scheme of the public URL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    secure: bool,
}

impl Cookies {
    pub(super) fn for_url(url: &str) -> Self {
        Self { secure: url.starts_with("https://") }
    }

    /// The cookie of a session.
    pub(crate) fn session(self) -> String {
        self.named("techpotli-session")
    }

    /// The cookie of a log-in under way: one for each, so that two tabs are not in each other's way.
    pub(super) fn login(self, state: &str) -> String {
        let short: String = state.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        self.named(&format!("techpotli-login-{short}"))
    }

    /// With TLS under a prefix by which a browser takes it from no other host and over no other way (RFC 6265bis).
    fn named(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// The value of `Set-Cookie` that sets this.
    pub(crate) fn set(self, name: &str, value: &str, age_s: Option<u64>) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let age = age_s.map_or_else(String::new, |age| format!("; Max-Age={age}"));
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        HeaderValue::try_from(text).expect("names and values here are base64url")
    }

    /// The value of `Set-Cookie` that takes this away.
    pub(crate) fn remove(self, name: &str) -> HeaderValue {
        self.set(name, "", Some(0))
    }
}

/// The value of the cookie of this name. Two of one name say that somebody else has set one: then neither counts.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// Whether there is such a cookie, or several.
pub(crate) fn is_there(headers: &HeaderMap, name: &str) -> bool {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(';')).any(|pair| pair.trim().split('=').next() == Some(name))
}

/// 256 random bits as URL-safe text.
pub(super) fn fresh_secret() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let set = Cookies::for_url("https://shop.example").set("__Host-a", "b", Some(5));
        assert_eq!(set, "__Host-a=b; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=5");
        assert_eq!(Cookies::for_url("https://shop.example").session(), "__Host-techpotli-session");
        assert_eq!(Cookies::for_url("http://127.0.0.1:4000").session(), "techpotli-session");
    }

    #[test]
    fn a_cookie_is_read_from_whichever_header_and_not_when_it_is_there_twice() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("x=1; a=one;b=two"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=three=3"));
        let read = |name| value(&headers, name);
        assert_eq!(
            (read("a"), read("b"), read("c"), read("d")),
            (Some("one"), Some("two"), Some("three=3"), None)
        );
        headers.append(header::COOKIE, HeaderValue::from_static("a=other"));
        assert_eq!(value(&headers, "a"), None);
        assert!(is_there(&headers, "a") && !is_there(&headers, "d"));
    }
}
