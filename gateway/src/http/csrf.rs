//! Requests that a foreign page could make a browser send without asking (CSRF) are refused.
//!
//! A `POST` is safe by its `Content-Type`: only JSON is read, and a browser asks before it sends that to another
//! origin. What remains is `GET`.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use super::media;
use crate::config::Cors;
use crate::rejection::{Code, Rejection};

/// With any of these a browser asks first.
const PREFLIGHT_HEADERS: [&str; 3] =
    ["x-graphql-csrf", "apollo-require-preflight", "graphql-require-preflight"];
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a `GET` through that no foreign page can have caused, or whose page may read the answer anyway.
pub(crate) fn check_get(headers: &HeaderMap, cors: &Cors) -> Result<(), Rejection> {
    if PREFLIGHT_HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return Ok(());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN);
    let passes = match (text(FETCH_SITE), origin) {
        (Some("same-origin" | "none"), _) => true,
        (_, Some(origin)) => cors.admits(origin),
        (Some(_), None) => false,
        // No browser of today on a secure origin, then. What is left are browsers on plain HTTP, whose images, links
        // and forms never name JSON.
        (None, None) => media::names_json(headers),
    };
    if passes { Ok(()) } else { Err(refused()) }
}

/// Lets a request with the cookie of a session through that a page of these origins has caused, or no page at all. A
/// foreign page could send it, too: a browser sends `SameSite=Lax` cookies along from other ports of the same host and
/// from hosts beside it, and with a socket it asks nobody.
pub(crate) fn is_from_page(headers: &HeaderMap, is_allowed: impl Fn(&str) -> bool) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(FETCH_SITE), headers.contains_key(header::ORIGIN)) {
        (Some("same-origin" | "none"), _) => true,
        (_, true) => text(header::ORIGIN).is_some_and(is_allowed),
        (Some(_), false) => false,
        // No browser, or an old one, and that names the origin with whatever changes something.
        (None, false) => true,
    }
}

/// The refusal of a request whose cookie does not count.
pub(crate) fn refused_cookie() -> Rejection {
    let message = "The session of a browser counts only for pages of this site.";
    Rejection::http(StatusCode::FORBIDDEN, Code::Forbidden, message)
}

fn refused() -> Rejection {
    let message = "This GET could have been caused by a foreign page. Send the header x-graphql-csrf with any value, \
                   name application/json in Accept, or use POST.";
    Rejection::http(StatusCode::FORBIDDEN, Code::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn passes(pairs: &[(&'static str, &'static str)], cors: &Cors) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        check_get(&headers, cors).is_ok()
    }

    #[test]
    fn a_cookie_counts_for_pages_that_are_allowed_and_without_a_page() {
        for (headers, expected) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "https://shop.example")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site"), ("origin", "https://shop.example")], true),
            (vec![("origin", "https://shop.example")], true),
            (vec![("sec-fetch-site", "same-site"), ("origin", "https://blog.example")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "null")], false),
        ] {
            let map = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(
                is_from_page(&map, |origin| origin == "https://shop.example"),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn a_get_passes_that_no_foreign_page_can_have_caused() {
        let shop = Cors::Origins(vec!["https://shop.example".into()]);
        for (headers, expected) in [
            (vec![], false),
            (vec![("accept", "*/*")], false),
            (vec![("accept", "image/avif,image/webp,*/*;q=0.8")], false),
            (vec![("accept", "application/json")], true),
            (vec![("x-graphql-csrf", "1")], true),
            (vec![("apollo-require-preflight", "true")], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "cross-site"), ("accept", "application/json")], false),
            (vec![("sec-fetch-site", "same-site"), ("accept", "application/json")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "https://shop.example")], true),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false),
            (vec![("origin", "null"), ("accept", "application/json")], false),
        ] {
            assert_eq!(passes(&headers, &shop), expected, "{headers:?}");
        }
    }
}
