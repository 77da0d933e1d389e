//! Subscriptions as server-sent events, in the distinct-connection mode of the `graphql-sse` protocol:
//! `next` events carry responses, `complete` ends the stream.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::CallError;

/// The responses in a body of events, until `complete` or the end of the body.
pub(crate) fn responses(body: Incoming, limit: usize) -> BoxStream<'static, Result<Bytes, CallError>> {
    let state = (body, Decoder::new(limit), VecDeque::new(), false);
    Box::pin(stream::unfold(state, |(mut body, mut decoder, mut ready, mut over)| async move {
        loop {
            match ready.pop_front() {
                Some(Event::Next(data)) => return Some((Ok(data), (body, decoder, ready, over))),
                Some(Event::Complete) => return None,
                None if over => return None,
                None => {}
            }
            match body.frame().await {
                None => over = true,
                Some(Err(_)) => {
                    over = true;
                    return Some((Err(CallError::Unreachable), (body, decoder, ready, over)));
                }
                Some(Ok(frame)) => {
                    let Some(data) = frame.data_ref() else { continue };
                    if decoder.feed(data, &mut ready).is_err() {
                        ready.clear();
                        over = true;
                        return Some((Err(CallError::TooLarge), (body, decoder, ready, over)));
                    }
                }
            }
        }
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Next(Bytes),
    Complete,
}

/// Splits bytes into lines and lines into events (HTML Living Standard, 9.2.6).
struct Decoder {
    limit: usize,
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_return: bool,
}

/// An event is longer than allowed.
#[derive(Debug, PartialEq, Eq)]
struct TooLong;

impl Decoder {
    fn new(limit: usize) -> Self {
        Decoder {
            limit,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_return: false,
        }
    }

    fn feed(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) -> Result<(), TooLong> {
        for &byte in bytes {
            // A line ends with a return, a newline, or both, even when a chunk ends between them.
            let second_half = self.after_return && byte == b'\n';
            self.after_return = byte == b'\r';
            if second_half {
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                self.end_line(events);
                continue;
            }
            if self.line.len() + self.data.len() >= self.limit {
                return Err(TooLong);
            }
            self.line.push(byte);
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut VecDeque<Event>) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.end_event(events);
        } else {
            let colon = memchr::memchr(b':', &line).unwrap_or(line.len());
            let value = line.get(colon + 1..).unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &line[..colon] {
                b"event" => self.name = value.to_vec(),
                b"data" => {
                    if self.has_data {
                        self.data.push(b'\n');
                    }
                    self.has_data = true;
                    self.data.extend_from_slice(value);
                }
                _ => {}
            }
        }
        self.line = line;
        self.line.clear();
    }

    fn end_event(&mut self, events: &mut VecDeque<Event>) {
        let data = Bytes::from(std::mem::take(&mut self.data));
        match &self.name[..] {
            b"complete" => events.push_back(Event::Complete),
            b"next" | b"" if self.has_data && !data.is_empty() => events.push_back(Event::Next(data)),
            _ => {}
        }
        self.name.clear();
        self.has_data = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(chunks: &[&str]) -> Vec<Event> {
        let mut decoder = Decoder::new(64);
        let mut events = VecDeque::new();
        for chunk in chunks {
            decoder.feed(chunk.as_bytes(), &mut events).unwrap();
        }
        events.into()
    }

    fn next(data: &'static str) -> Event {
        Event::Next(Bytes::from(data))
    }

    #[test]
    fn events_are_found_wherever_chunks_and_lines_end() {
        let whole = ":hello\n\nevent: next\ndata: {\"a\":1}\n\nevent:next\r\ndata:{\ndata:}\r\n\r\nevent: complete\rdata:\r\r";
        let expected = vec![next("{\"a\":1}"), next("{\n}"), Event::Complete];
        assert_eq!(decode(&[whole]), expected);
        for cut in 1..whole.len() {
            assert_eq!(decode(&[&whole[..cut], &whole[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_past_the_limit_is_refused() {
        let mut decoder = Decoder::new(8);
        let mut events = VecDeque::new();
        assert_eq!(decoder.feed(b"data: 123456", &mut events), Err(TooLong));
    }
}
