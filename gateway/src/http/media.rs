//! Media types: which one to answer with, and whether a body is JSON (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, HeaderValue, header};

/// What an operation can be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseType {
    /// `application/graphql-response+json`: the status tells a request error from an executed operation.
    GraphqlResponse,
    /// `application/json`: whatever is well-formed gets 200.
    Json,
    /// `text/event-stream`, one event for each result (graphql-sse, distinct connections).
    EventStream,
}

impl ResponseType {
    fn essence(self) -> (&'static str, &'static str) {
        match self {
            Self::GraphqlResponse => ("application", "graphql-response+json"),
            Self::Json => ("application", "json"),
            Self::EventStream => ("text", "event-stream"),
        }
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        })
    }
}

/// For clients that do not say what they take: the type that every one of them knows.
const DEFAULT: ResponseType = ResponseType::Json;

/// What a client accepts, best first.
#[derive(Debug, Clone)]
pub(crate) struct Accepted(Vec<ResponseType>);

impl Accepted {
    /// Reads `Accept`. Without the header anything will do; ranges that cannot be read are passed over.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let Some(ranges) = ranges(headers) else { return Self(vec![DEFAULT]) };
        let offers = [DEFAULT, ResponseType::GraphqlResponse, ResponseType::EventStream];
        let mut rated: Vec<(ResponseType, Rating)> = offers
            .into_iter()
            .filter_map(|offer| rate(&ranges, offer.essence()).map(|rating| (offer, rating)))
            // A stream is for those who name it.
            .filter(|(offer, rating)| *offer != ResponseType::EventStream || rating.specificity == 2)
            .collect();
        // Stable: with equal weight the range that comes first wins, then our own order.
        rated.sort_by(|(_, left), (_, right)| right.weight.cmp(&left.weight).then(left.at.cmp(&right.at)));
        Self(rated.into_iter().map(|(offer, _)| offer).collect())
    }

    /// The best type for a single answer.
    pub(crate) fn single(&self) -> Option<ResponseType> {
        self.0.first().copied()
    }

    /// Whether a stream of events can be sent.
    pub(crate) fn takes_events(&self) -> bool {
        self.0.contains(&ResponseType::EventStream)
    }

    /// The type for a refusal: never an event stream, and for who takes only that, one with a status of its own.
    pub(crate) fn for_errors(&self) -> ResponseType {
        self.0
            .iter()
            .copied()
            .find(|one| *one != ResponseType::EventStream)
            .unwrap_or(ResponseType::GraphqlResponse)
    }
}

/// Whether the client is a browser that wants a page: it names `text/html` and nothing of ours weighs more.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let Some(ranges) = ranges(headers) else { return false };
    let Some(page) = rate(&ranges, ("text", "html")).filter(|rating| rating.specificity == 2) else {
        return false;
    };
    [ResponseType::GraphqlResponse, ResponseType::Json]
        .into_iter()
        .filter_map(|offer| rate(&ranges, offer.essence()))
        .filter(|rating| rating.specificity == 2)
        .all(|rating| rating.weight < page.weight || (rating.weight == page.weight && rating.at > page.at))
}

/// Whether the header names JSON of some kind, rather than anything at all.
pub(crate) fn names_json(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers).unwrap_or_default();
    [ResponseType::GraphqlResponse, ResponseType::Json]
        .into_iter()
        .any(|offer| rate(&ranges, offer.essence()).is_some_and(|rating| rating.specificity == 2))
}

/// Whether the body is JSON in UTF-8: the only thing that is read.
pub(crate) fn is_json_body(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some(range) = value.to_str().ok().and_then(parse_range) else { return false };
    range.main.eq_ignore_ascii_case("application") && range.sub.eq_ignore_ascii_case("json") && range.is_plain
}

struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    /// In thousandths.
    weight: u16,
    /// No parameter but the weight and `charset=utf-8`.
    is_plain: bool,
}

#[derive(Clone, Copy)]
struct Rating {
    weight: u16,
    /// 2 for `a/b`, 1 for `a/*`, 0 for `*/*`.
    specificity: u8,
    /// The position of the range in the header.
    at: usize,
}

/// `None` when there is no such header, or it is empty.
fn ranges(headers: &HeaderMap) -> Option<Vec<Range<'_>>> {
    let texts: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if texts.iter().all(|text| text.trim().is_empty()) && !headers.contains_key(header::ACCEPT) {
        return None;
    }
    Some(texts.into_iter().flat_map(|text| split_unquoted(text, ',')).filter_map(parse_range).collect())
}

/// The rating by the most specific range that matches; `None` when nothing does, or its weight is zero.
fn rate(ranges: &[Range<'_>], (main, sub): (&str, &str)) -> Option<Rating> {
    let mut best: Option<Rating> = None;
    for (at, range) in ranges.iter().enumerate().filter(|(_, range)| range.is_plain) {
        let specificity = match (range.main, range.sub) {
            (m, s) if m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub) => 2,
            (m, "*") if m.eq_ignore_ascii_case(main) => 1,
            ("*", "*") => 0,
            _ => continue,
        };
        if best.is_none_or(|best| specificity > best.specificity) {
            best = Some(Rating { weight: range.weight, specificity, at });
        }
    }
    best.filter(|rating| rating.weight > 0)
}

fn parse_range(text: &str) -> Option<Range<'_>> {
    let mut parts = split_unquoted(text, ';');
    let (main, sub) = parts.next()?.trim().split_once('/')?;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
    if !is_token(main) || !is_token(sub) || (main == "*" && sub != "*") {
        return None;
    }
    let mut range = Range { main, sub, weight: 1_000, is_plain: true };
    for parameter in parts.filter(|part| !part.trim().is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("q") {
            range.weight = parse_weight(value)?;
        } else if name.eq_ignore_ascii_case("charset") {
            range.is_plain &= value.trim_matches('"').eq_ignore_ascii_case("utf-8");
        } else {
            range.is_plain = false;
        }
    }
    Some(range)
}

/// `0`, `1`, or up to three decimals (RFC 9110, section 12.4.2).
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || !is_number {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    let weight = if whole == "1" { 1_000 + thousandths } else { thousandths };
    (weight <= 1_000).then_some(weight)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Splits at a separator that stands outside of quotes.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match character {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        character == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResponseType::{EventStream, GraphqlResponse, Json};

    fn accept(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn the_best_type_that_a_client_accepts_is_chosen() {
        for (header, expected) in [
            ("application/graphql-response+json,application/json;q=0.9", Some(GraphqlResponse)),
            ("application/json", Some(Json)),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("application/json;q=0.5, application/graphql-response+json;q=0.7", Some(GraphqlResponse)),
            ("application/json; charset=UTF-8", Some(Json)),
            ("application/json; charset=\"utf-8\"", Some(Json)),
            ("application/json; charset=latin1", None),
            ("application/json;profile=\"a,b\", application/graphql-response+json", Some(GraphqlResponse)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("*/*;q=0.1, application/json", Some(Json)),
            ("application/graphql-response+json;q=0, */*", Some(Json)),
            ("text/html,application/xhtml+xml", None),
            ("text/event-stream", Some(EventStream)),
            ("application/json;q=2", None),
            ("application/json;q=0.1234", None),
            ("application/jsonx", None),
            ("*/json", None),
            ("APPLICATION/JSON", Some(Json)),
            ("", None),
        ] {
            assert_eq!(Accepted::of(&accept(header)).single(), expected, "{header}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()).single(), Some(Json));
    }

    #[test]
    fn a_stream_is_sent_only_to_those_who_name_it() {
        assert!(!Accepted::of(&accept("*/*")).takes_events());
        let urql = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
        assert!(Accepted::of(&accept(urql)).takes_events());
        assert_eq!(Accepted::of(&accept("text/event-stream")).for_errors(), GraphqlResponse);
    }

    #[test]
    fn a_browser_is_told_from_a_client() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(wants_page(&accept(browser)));
        for client in ["*/*", "application/json", "application/json, text/html;q=0.9", "text/*"] {
            assert!(!wants_page(&accept(client)), "{client}");
        }
        assert!(!wants_page(&HeaderMap::new()));
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        for (content_type, read) in [
            ("application/json", true),
            ("Application/JSON; Charset=utf-8", true),
            ("application/json; charset=utf-16", false),
            ("application/json; charset=ibm500", false),
            ("application/graphql", false),
            ("text/plain", false),
            ("text/plain; application/json", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())]);
            assert_eq!(is_json_body(&headers), read, "{content_type}");
        }
        assert!(!is_json_body(&HeaderMap::new()));
        let mut twice = HeaderMap::new();
        twice.append(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        twice.append(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(!is_json_body(&twice));
    }
}
