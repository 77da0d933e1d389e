//! The messages of `graphql-transport-ws` and the codes that a socket is closed with.

use axum::extract::ws::{CloseFrame, Message};
use bytes::Bytes;
use engine::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::http::body::GraphqlRequest;

/// Ids are chosen by clients; longer ones are refused as malformed.
const LONGEST_ID: usize = 256;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Incoming {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Ping {},
    Pong {},
    Subscribe {
        id: String,
        payload: GraphqlRequest,
    },
    Complete {
        id: String,
    },
}

impl Incoming {
    /// Reads a message. Anything that is not exactly one of the protocol is refused.
    pub(super) fn parse(text: &str) -> Result<Self, Close> {
        let message: Self = serde_json::from_str(text).map_err(|_| Close::InvalidMessage)?;
        let is_fine = match &message {
            Self::Subscribe { id, payload } => {
                (1..=LONGEST_ID).contains(&id.len()) && payload.query.is_some()
            }
            Self::Complete { id } => (1..=LONGEST_ID).contains(&id.len()),
            Self::ConnectionInit { .. } | Self::Ping {} | Self::Pong {} => true,
        };
        if is_fine { Ok(message) } else { Err(Close::InvalidMessage) }
    }
}

/// What the gateway says.
pub(super) enum Outgoing {
    ConnectionAck,
    Ping,
    Pong,
    Next {
        id: String,
        response: Response,
    },
    /// The operation was not executed.
    Error {
        id: String,
        errors: Box<RawValue>,
    },
    Complete {
        id: String,
    },
}

impl Outgoing {
    pub(super) fn into_message(self) -> Message {
        match self {
            Self::ConnectionAck => Message::text(r#"{"type":"connection_ack"}"#),
            Self::Ping => Message::text(r#"{"type":"ping"}"#),
            Self::Pong => Message::text(r#"{"type":"pong"}"#),
            Self::Next { id, response } => with_payload("next", &id, &response.into_body()),
            Self::Error { id, errors } => with_payload("error", &id, errors.get().as_bytes()),
            Self::Complete { id } => {
                Message::text(format!(r#"{{"id":{},"type":"complete"}}"#, Value::String(id)))
            }
        }
    }
}

/// The answer is put between the rest as it is; it is not parsed again.
fn with_payload(kind: &str, id: &str, json: &[u8]) -> Message {
    let head = format!(r#"{{"id":{},"type":"{kind}","payload":"#, Value::from(id));
    let mut text = Vec::with_capacity(head.len() + json.len() + 1);
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(json);
    text.push(b'}');
    match String::from_utf8(text) {
        Ok(text) => Message::text(text),
        // The engine checks what it copies; a client is better off without an answer than with broken text.
        Err(_) => Message::text(format!(r#"{{"id":{},"type":"complete"}}"#, Value::from(id))),
    }
}

/// Why a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    InvalidMessage,
    /// An operation before `connection_init` was acknowledged.
    Unauthorized,
    Forbidden(&'static str),
    SubprotocolNotAcceptable,
    InitialisationTimeout,
    SubscriberExists(String),
    TooManyInitialisations,
    /// The gateway drains (RFC 6455, section 7.4.1).
    GoingAway,
}

impl Close {
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::InvalidMessage => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden(_) => 4403,
            Self::SubprotocolNotAcceptable => 4406,
            Self::InitialisationTimeout => 4408,
            Self::SubscriberExists(_) => 4409,
            Self::TooManyInitialisations => 4429,
            Self::GoingAway => 1001,
        }
    }

    pub(super) fn into_message(self) -> Message {
        let code = self.code();
        let reason = match self {
            Self::InvalidMessage => "Invalid message".to_owned(),
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::Forbidden(why) => format!("Forbidden: {why}"),
            Self::SubprotocolNotAcceptable => "Subprotocol not acceptable".to_owned(),
            Self::InitialisationTimeout => "Connection initialisation timeout".to_owned(),
            // A close frame has room for 123 bytes.
            Self::SubscriberExists(id) => {
                let id: String = id.escape_default().take(80).collect();
                format!("Subscriber for {id} already exists")
            }
            Self::TooManyInitialisations => "Too many initialisation requests".to_owned(),
            Self::GoingAway => "The server is going away".to_owned(),
        };
        Message::Close(Some(CloseFrame { code, reason: reason.into() }))
    }
}

/// The bytes of `errors` in a refused response.
pub(super) fn errors_of(response: Response) -> Box<RawValue> {
    #[derive(Deserialize)]
    struct Refused {
        errors: Box<RawValue>,
    }
    let body: Bytes = response.into_body();
    match serde_json::from_slice::<Refused>(&body) {
        Ok(refused) => refused.errors,
        Err(_) => RawValue::NULL.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_the_protocol_are_read() {
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"authorization":"Bearer x"}}"#,
            r#"{"type":"ping","payload":{"a":1}}"#,
            r#"{"type":"pong"}"#,
            r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":"1","type":"complete"}"#,
        ] {
            assert!(Incoming::parse(text).is_ok(), "{text}");
        }
        let long = format!(r#"{{"id":"{}","type":"complete"}}"#, "a".repeat(257));
        for text in [
            "",
            "{}",
            "[]",
            "null",
            "\"ping\"",
            r#"{"type":"start"}"#,
            r#"{"type":1}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":1,"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":"","type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":"1","type":"subscribe"}"#,
            r#"{"id":"1","type":"subscribe","payload":{}}"#,
            r#"{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":[]}}"#,
            r#"{"id":"1","type":"next","payload":{}}"#,
            &long,
        ] {
            assert_eq!(Incoming::parse(text).unwrap_err(), Close::InvalidMessage, "{text}");
        }
    }

    #[test]
    fn a_reason_fits_into_its_frame() {
        let message = Close::SubscriberExists("\u{1F600}".repeat(256)).into_message();
        let Message::Close(Some(frame)) = message else { panic!("not a close frame") };
        assert!(frame.reason.len() <= 123, "{}", frame.reason.len());
    }
}
