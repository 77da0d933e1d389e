//! The id of a request, as clients, logs and answers see it.

use std::sync::Arc;

use http::HeaderName;

/// The header with it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header by which a caller wants to see how the answer came about.
pub const DEBUG: HeaderName = HeaderName::from_static("x-techpotli-debug");
/// Characters of an id, at most.
pub(crate) const LONGEST: usize = 128;

/// The id of a request: a text that is harmless in a log, a header and a column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// An id, where the text is harmless.
    pub fn parse(text: &str) -> Option<Self> {
        let harmless = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte));
        harmless.then(|| Self(text.into()))
    }

    /// Its text.
    pub fn text(&self) -> &Arc<str> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_harmless_everywhere_is_an_id() {
        for id in ["abc-123.4:5", "a/b+c=_", &"x".repeat(128)] {
            assert_eq!(RequestId::parse(id).map(|id| id.text().to_string()).as_deref(), Some(id));
        }
        for id in ["", "a b", "<script>", "a\"b", "a\nb", "ä", &"x".repeat(129)] {
            assert_eq!(RequestId::parse(id), None, "{id}");
        }
    }
}
