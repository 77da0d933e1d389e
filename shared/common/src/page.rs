//! Keyset pages: how many, after what, and what to say about the rest.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Most nodes that one page may have.
pub const MAX_PAGE: usize = 100;

/// What a client asked for, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageArgs {
    /// How many nodes at the most: 0 to [`MAX_PAGE`].
    pub first: usize,
    /// The last node of the page before.
    pub after: Option<Cursor>,
}

/// Where a page begins: the sort keys of the last node of the page before, opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<String>);

/// Arguments of a page that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// `first` is negative or above [`MAX_PAGE`].
    #[error("'first' must lie between 0 and {MAX_PAGE}")]
    First,
    /// `after` did not come from a page of this list.
    #[error("'after' is not a cursor of this list")]
    Cursor,
}

impl PageArgs {
    /// Checks what a client sent.
    pub fn parse(first: i32, after: Option<&str>) -> Result<Self, PageError> {
        let first = usize::try_from(first).ok().filter(|first| *first <= MAX_PAGE).ok_or(PageError::First)?;
        let after = after.map(Cursor::decode).transpose()?;
        Ok(Self { first, after })
    }

    /// How many rows to read to know whether more follow.
    pub fn limit(&self) -> u64 {
        self.first as u64 + 1
    }

    /// Cuts the row that was read too many, and says whether there was one.
    pub fn cut<T>(&self, rows: &mut Vec<T>) -> bool {
        let more = rows.len() > self.first;
        rows.truncate(self.first);
        more
    }
}

impl Cursor {
    /// The cursor behind a node with these sort keys, the unique one last.
    pub fn new(keys: &[&dyn std::fmt::Display]) -> Self {
        Self(keys.iter().map(ToString::to_string).collect())
    }

    /// The sort keys, where there are `count` of them.
    pub fn keys(&self, count: usize) -> Result<&[String], PageError> {
        if self.0.len() == count { Ok(&self.0) } else { Err(PageError::Cursor) }
    }

    /// One sort key, parsed.
    pub fn key<T: std::str::FromStr>(&self, index: usize, count: usize) -> Result<T, PageError> {
        self.keys(count)?[index].parse().map_err(|_| PageError::Cursor)
    }

    /// As clients see it: URL-safe base64.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        for key in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}:{key}", key.len());
        }
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads what a client sent back.
    pub fn decode(text: &str) -> Result<Self, PageError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| PageError::Cursor)?;
        let text = String::from_utf8(bytes).map_err(|_| PageError::Cursor)?;
        let mut keys = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (length, tail) = rest.split_once(':').ok_or(PageError::Cursor)?;
            let length: usize = length.parse().map_err(|_| PageError::Cursor)?;
            keys.push(tail.get(..length).ok_or(PageError::Cursor)?.to_owned());
            rest = &tail[length..];
        }
        Ok(Self(keys))
    }
}

/// What is said about a page (Relay cursor connections, section PageInfo).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageInfo {
    /// Whether nodes follow the last one.
    pub has_next_page: bool,
    /// Whether the page began after a cursor.
    pub has_previous_page: bool,
    /// Cursor of the first node.
    pub start_cursor: Option<String>,
    /// Cursor of the last node.
    pub end_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = Cursor::new(&[&"a:b", &42, &""]);
        assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
    }

    #[test]
    fn foreign_cursors_and_sizes_are_refused() {
        assert_eq!(PageArgs::parse(101, None), Err(PageError::First));
        assert_eq!(PageArgs::parse(-1, None), Err(PageError::First));
        for text in ["?", "aGVsbG8", "OTk6YQ"] {
            assert_eq!(PageArgs::parse(1, Some(text)), Err(PageError::Cursor), "{text}");
        }
    }

    #[test]
    fn one_row_too_many_says_that_more_follow() {
        let page = PageArgs::parse(2, None).unwrap();
        let mut rows = vec![1, 2, 3];
        assert!(page.cut(&mut rows));
        assert_eq!(rows, [1, 2]);
        assert!(!page.cut(&mut rows));
    }
}
