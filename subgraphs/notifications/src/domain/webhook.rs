//! Webhook endpoints: what may be called, and with what.

use http::Uri;

use super::Refusal;

/// Longest URL.
const LONGEST_URL: usize = 2_000;

/// Events that an endpoint may ask for.
pub const EVENTS: [&str; 9] = [
    "order.confirmed",
    "order.cancelled",
    "order.fulfilled",
    "order.completed",
    "payment.changed",
    "product.changed",
    "review.created",
    "stock.changed",
    "user.registered",
];

/// Stands for all events.
const ALL: &str = "*";

/// A URL that can be called, without space around it.
pub fn url(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let uri: Uri = text.parse().map_err(|_| Refusal::UrlInvalid)?;
    let callable = matches!(uri.scheme_str(), Some("https" | "http"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && !text.contains('#')
        && text.len() <= LONGEST_URL;
    if callable { Ok(text.to_owned()) } else { Err(Refusal::UrlInvalid) }
}

/// Names of events, each once, in order.
pub fn events(names: &[String]) -> Result<Vec<String>, Refusal> {
    let mut chosen: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let known = |name: &String| name == ALL || EVENTS.contains(&name.as_str());
    if chosen.is_empty() || !chosen.iter().all(known) { Err(Refusal::EventsInvalid) } else { Ok(chosen) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_called_is_an_endpoint() {
        let long = format!("https://example.com/{}", "x".repeat(2_000));
        let cases = [
            ("https://example.com/hook", true),
            (" http://127.0.0.1:8080/hook?key=1 ", true),
            ("https://example.com", true),
            ("ftp://example.com", false),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("/hook", false),
            ("https://user:pass@example.com/", false),
            ("https://example.com/#part", false),
            ("https://exa mple.com/", false),
            (long.as_str(), false),
            ("", false),
        ];
        for (text, callable) in cases {
            assert_eq!(url(text).is_ok(), callable, "{text}");
        }
    }

    #[test]
    fn events_are_known_by_name_and_kept_once() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let chosen = events(&names(&["stock.changed", "order.confirmed", "stock.changed"]));
        assert_eq!(chosen, Ok(names(&["order.confirmed", "stock.changed"])));
        assert_eq!(events(&names(&["*"])), Ok(names(&["*"])));
        assert_eq!(events(&[]), Err(Refusal::EventsInvalid));
        assert_eq!(events(&names(&["order.eaten"])), Err(Refusal::EventsInvalid));
    }
}
