//! A cursor over JSON text (RFC 8259) that checks what it passes and allocates nothing.
//!
//! The text must be UTF-8 already; the cursor relies on that only for what it leaves unread inside strings.

use thiserror::Error;

/// The text is not JSON, or nests deeper than [`MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed JSON at byte {at}")]
pub(crate) struct Malformed {
    pub(crate) at: usize,
}

/// Lists and objects may nest this deep, as in `serde_json`.
pub(crate) const MAX_DEPTH: u32 = 127;

/// A string as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// Where its opening quote is.
    pub(crate) start: usize,
    /// One past its closing quote.
    pub(crate) end: usize,
    /// Whether it has a backslash in it.
    pub(crate) escaped: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Json { text, at: 0 }
    }

    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes back to an earlier place, to read it again.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn malformed(&self) -> Malformed {
        Malformed { at: self.at }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over `byte` if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed()) }
    }

    /// Steps over `word` if it is next.
    #[inline]
    pub(crate) fn take_all(&mut self, word: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// After an element: `true` when another follows, `false` when `close` ended the list or object.
    #[inline]
    pub(crate) fn another(&mut self, close: u8) -> Result<bool, Malformed> {
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blank();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.malformed()),
        }
    }

    /// Only white space may follow.
    pub(crate) fn finish(&mut self) -> Result<(), Malformed> {
        self.blank();
        if self.at == self.text.len() { Ok(()) } else { Err(self.malformed()) }
    }

    /// Steps over a string.
    pub(crate) fn string(&mut self) -> Result<Quoted, Malformed> {
        let start = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.at += plain_length(&self.text[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Quoted { start, end: self.at, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.malformed()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let digits = self.text.get(self.at + 2..self.at + 6).ok_or_else(|| self.malformed())?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(self.malformed());
                }
                self.at += 6;
                Ok(())
            }
            _ => Err(self.malformed()),
        }
    }

    /// Steps over a number.
    pub(crate) fn number(&mut self) -> Result<(), Malformed> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.malformed()) }
    }

    pub(crate) fn literal(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if self.take_all(word) { Ok(()) } else { Err(self.malformed()) }
    }

    /// Steps over any value that begins `depth` levels down.
    pub(crate) fn skip(&mut self, depth: u32) -> Result<(), Malformed> {
        // One bit for each open level: set for an object. The limit fits the width.
        let mut levels: u128 = 0;
        let mut open: u32 = 0;
        loop {
            self.blank();
            match self.peek() {
                Some(byte @ (b'{' | b'[')) => {
                    let object = byte == b'{';
                    self.at += 1;
                    self.blank();
                    let close = if object { b'}' } else { b']' };
                    if depth + open >= MAX_DEPTH {
                        return Err(self.malformed());
                    }
                    if !self.take(close) {
                        levels = levels << 1 | u128::from(object);
                        open += 1;
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            // A value has ended: close what ends with it, until another follows.
            loop {
                if open == 0 {
                    return Ok(());
                }
                let object = levels & 1 == 1;
                if self.another(if object { b'}' } else { b']' })? {
                    if object {
                        self.key()?;
                    }
                    break;
                }
                levels >>= 1;
                open -= 1;
            }
        }
    }

    /// Steps over a key and its colon.
    pub(crate) fn key(&mut self) -> Result<Quoted, Malformed> {
        let key = self.string()?;
        self.blank();
        self.expect(b':')?;
        Ok(key)
    }

    fn scalar(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => Err(self.malformed()),
        }
    }

    /// What stands between the quotes of a string just read.
    pub(crate) fn inside(&self, quoted: Quoted) -> &'a [u8] {
        &self.text[quoted.start + 1..quoted.end - 1]
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// How many bytes stand before the first quote, backslash or control character, eight at a time.
///
/// In each of the three tests the lowest bit set is exact; a borrow can only add bits above it.
fn plain_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = text[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = text[at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    tail.map_or(text.len(), |position| at + position)
}

/// The text of a string without its quotes, escapes resolved. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(inside: &[u8]) -> String {
    if memchr::memchr(b'\\', inside).is_none() {
        return String::from_utf8_lossy(inside).into_owned();
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut at = 0;
    while at < inside.len() {
        if inside[at] != b'\\' {
            out.push(inside[at]);
            at += 1;
            continue;
        }
        let (decoded, length) = unescape_one(&inside[at..]);
        out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
        at += length;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn unescape_one(text: &[u8]) -> (char, usize) {
    match text.get(1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => {
            let first = hex(text, 2);
            if (0xd800..0xdc00).contains(&first) && text.get(6..8) == Some(b"\\u") {
                let second = hex(text, 8);
                if (0xdc00..0xe000).contains(&second) {
                    let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
                }
            }
            (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
        }
        Some(byte) => (char::from(*byte), 2),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

fn hex(text: &[u8], from: usize) -> u32 {
    let digits = text.get(from..from + 4).unwrap_or_default();
    digits.iter().fold(0, |code, digit| code * 16 + char::from(*digit).to_digit(16).unwrap_or(0))
}

/// Appends `text` as a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut at = 0;
    loop {
        let plain = plain_length(&bytes[at..]);
        out.extend_from_slice(&bytes[at..at + plain]);
        at += plain;
        let Some(byte) = bytes.get(at) else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(DIGITS[usize::from(control >> 4)]);
                out.push(DIGITS[usize::from(control & 15)]);
            }
        }
        at += 1;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passes(text: &[u8]) -> bool {
        let mut json = Json::new(text);
        json.blank();
        json.skip(0).and_then(|()| json.finish()).is_ok()
    }

    #[test]
    fn the_cursor_accepts_exactly_the_grammar() {
        for good in [
            "0",
            "-0",
            "10.5e-3",
            "1E+2",
            "\"\"",
            "\"\\u00e9\\n\"",
            "[]",
            "{}",
            " [1 , 2] ",
            "{\"a\":[{}]}",
            "null",
            "true",
            "false",
            "\"a\u{e9}\"",
        ] {
            assert!(passes(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "-",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "\"\n\"",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "[1 2]",
            "nul",
            "tru",
            "[",
            "{",
            "]",
            "1 2",
            "{\"a\":}",
            "\u{feff}1",
        ] {
            assert!(!passes(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn nesting_past_the_limit_is_refused_as_in_serde_json() {
        for depth in [126usize, 127, 128, 129, 100_000] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let reference = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!(passes(text.as_bytes()), reference, "{depth}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_judged_as_serde_json_judges_it(text in "[\\[\\]{}:,\"\\\\u0-9a-f eE.+\\-ntrulsx\\x01é]{0,24}") {
            let reference = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(passes(text.as_bytes()), reference);
        }

        #[test]
        fn strings_survive_writing_and_reading(text in any::<String>()) {
            let mut out = Vec::new();
            write_string(&mut out, &text);
            prop_assert_eq!(&serde_json::from_slice::<String>(&out).unwrap(), &text);
            let mut json = Json::new(&out);
            let quoted = json.string().unwrap();
            prop_assert_eq!(quoted.end, out.len());
            prop_assert_eq!(unescape(json.inside(quoted)), text);
        }

        #[test]
        fn escapes_are_resolved_as_serde_json_resolves_them(text in "(a|é|\\\\u00e9|\\\\ud83d\\\\ude00|\\\\n|\\\\\\\\|\\\\\"|\\\\/|\\\\b|\\\\f){0,12}") {
            let quoted = format!("\"{text}\"");
            let reference: String = serde_json::from_str(&quoted).unwrap();
            prop_assert_eq!(unescape(text.as_bytes()), reference);
        }
    }
}
