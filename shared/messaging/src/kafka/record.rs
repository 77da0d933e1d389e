//! An event as a record: its JSON is the value, its aggregate the key, and its id and time are headers, and so is
//! why it was written: by which request, in which trace.

use std::fmt;

use common::Timestamp;
use common::id::EventId;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};

use trace::{Cause, RequestId};

use crate::Envelope;

const ID: &str = "event-id";
const TOPIC: &str = "event-topic";
const TIME: &str = "event-time";
const REQUEST: &str = "request-id";
const TRACEPARENT: &str = "traceparent";
const REASON: &str = "dead-reason";
const ORIGIN_TOPIC: &str = "dead-topic";
const ORIGIN_PARTITION: &str = "dead-partition";
const ORIGIN_OFFSET: &str = "dead-offset";

/// Where a record was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.topic, self.partition, self.offset)
    }
}

/// A record as it was delivered.
#[derive(Debug, Clone)]
pub(super) struct Delivered {
    pub(super) origin: Origin,
    pub(super) event: Envelope,
    /// Why it is no event of ours.
    pub(super) broken: Option<String>,
}

pub(super) fn headers(event: &Envelope) -> OwnedHeaders {
    let (id, time) = (event.id.to_string(), event.at.0.to_string());
    let mut headers = OwnedHeaders::new()
        .insert(Header { key: ID, value: Some(&id) })
        .insert(Header { key: TOPIC, value: Some(&event.topic) })
        .insert(Header { key: TIME, value: Some(&time) });
    if let Some(request) = &event.cause.request {
        headers = headers.insert(Header { key: REQUEST, value: Some(&**request.text()) });
    }
    if let Some(parent) = &event.cause.parent {
        headers = headers.insert(Header { key: TRACEPARENT, value: Some(&parent.to_string()) });
    }
    headers
}

pub(super) fn dead_headers(event: &Envelope, reason: &str, origin: &Origin) -> OwnedHeaders {
    let (partition, offset) = (origin.partition.to_string(), origin.offset.to_string());
    headers(event)
        .insert(Header { key: REASON, value: Some(reason) })
        .insert(Header { key: ORIGIN_TOPIC, value: Some(&origin.topic) })
        .insert(Header { key: ORIGIN_PARTITION, value: Some(&partition) })
        .insert(Header { key: ORIGIN_OFFSET, value: Some(&offset) })
}

/// Reads a record of the topic of `publisher`.
pub(super) fn read(message: &BorrowedMessage<'_>, publisher: &str) -> Delivered {
    let origin = Origin {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
    };
    let id = header(message, ID).and_then(|id| id.parse::<EventId>().ok());
    let at = header(message, TIME).and_then(|at| at.parse().ok().map(Timestamp));
    let text = message.payload().map(std::str::from_utf8);
    let broken = match (id, at, text) {
        (Some(_), Some(_), Some(Ok(_))) => None,
        (None, ..) => Some(format!("the header {ID} holds no id of an event")),
        (_, None, _) => Some(format!("the header {TIME} holds no time in microseconds")),
        (_, _, None) => Some("the record has no value".to_owned()),
        (_, _, Some(Err(error))) => Some(format!("the value is no text: {error}")),
    };
    let stamp = message.timestamp().to_millis().unwrap_or_default();
    let event = Envelope {
        id: id.unwrap_or_else(|| named_after(&origin, stamp)),
        topic: header(message, TOPIC).unwrap_or_else(|| publisher.to_owned()),
        key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
        at: at.unwrap_or(Timestamp::from_millis(stamp)),
        payload: String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned(),
        cause: Cause {
            request: header(message, REQUEST).and_then(|id| RequestId::parse(&id)),
            parent: header(message, TRACEPARENT).and_then(|parent| parent.parse().ok()),
        },
    };
    Delivered { origin, event, broken }
}

fn header(message: &BorrowedMessage<'_>, key: &str) -> Option<String> {
    let found = message.headers()?.iter().find(|header| header.key == key)?;
    std::str::from_utf8(found.value?).ok().map(str::to_owned)
}

/// An id for a record that has none, the same at every delivery.
fn named_after(origin: &Origin, stamp: i64) -> EventId {
    let [.., high, low] = origin.partition.to_be_bytes();
    let [_, offset @ ..] = origin.offset.to_be_bytes();
    let mut seed = [0; 10];
    // Bits of the first and third byte give way to those that say what kind of id it is.
    seed[1] = low ^ high;
    seed[3..].copy_from_slice(&offset);
    EventId::stable(stamp.unsigned_abs(), seed)
}
