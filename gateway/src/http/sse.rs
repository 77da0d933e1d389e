//! Answers as server-sent events: graphql-sse, "distinct connections" mode. Each result is an event `next`, the end is
//! an event `complete`.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use engine::{ErrorCode, GraphQLError};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep_until;

use super::media::ResponseType;
use crate::Inner;
use crate::pipeline::Identity;
use crate::rejection::Rejection;

const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
/// A comment, so that proxies see the connection is alive.
const KEEP_ALIVE: &[u8] = b":\n\n";

/// Streams the results to the client until they end, the client goes, its token or session ends, or the gateway drains.
pub(super) fn reply(
    gateway: &Arc<Inner>,
    events: BoxStream<'static, engine::Response>,
    client: Option<&Identity>,
) -> Result<Response, Rejection> {
    let permit = gateway.streams.clone().try_acquire_owned().map_err(|_| full())?;
    let expiry = client.and_then(|identity| gateway.authenticator.expiry(identity));
    let ended = client.map(|identity| gateway.authenticator.ended(identity));
    let state = Streaming {
        events: gateway.tasks.apart("events of a stream", events).boxed(),
        stopping: Box::pin(gateway.tasks.stopping()),
        expired: Box::pin(async move {
            let expired = async {
                match expiry {
                    Some(expiry) => sleep_until(expiry).await,
                    None => pending().await,
                }
            };
            let ended = ended.unwrap_or_else(|| Box::pin(pending()));
            tokio::select! {
                () = expired => {}
                () = ended => {}
            }
        }),
        keep_alive: gateway.config.subscriptions.keep_alive,
        is_over: false,
        _permit: permit,
    };
    let body = Body::from_stream(stream::unfold(state, |mut state| async move {
        let chunk = state.next().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), state))
    }));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, ResponseType::EventStream.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Too many sockets and streams are open.
pub(super) fn full() -> Rejection {
    let message = "Too many subscriptions are open. Come back later.";
    let mut rejection = Rejection::throttled(message, Duration::from_secs(5));
    rejection.status = StatusCode::SERVICE_UNAVAILABLE;
    rejection
}

struct Streaming {
    events: BoxStream<'static, engine::Response>,
    stopping: BoxFuture<'static, ()>,
    expired: BoxFuture<'static, ()>,
    keep_alive: Duration,
    is_over: bool,
    _permit: OwnedSemaphorePermit,
}

impl Streaming {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let event = tokio::select! {
            event = self.events.next() => event,
            () = &mut self.stopping => None,
            () = &mut self.expired => {
                self.is_over = true;
                return Some(expired());
            }
            () = tokio::time::sleep(self.keep_alive) => return Some(Bytes::from_static(KEEP_ALIVE)),
        };
        Some(match event {
            Some(response) => frame(&response.into_body()),
            None => {
                self.is_over = true;
                Bytes::from_static(COMPLETE)
            }
        })
    }
}

/// The last words to a client whose token or session has ended.
fn expired() -> Bytes {
    let error = GraphQLError::new(
        ErrorCode::Unauthenticated,
        "The access token has expired, or its session is over.",
    );
    let last = frame(&engine::Response::refused(&[error]).into_body());
    [&last, COMPLETE].concat().into()
}

/// One `next` event. A line break in the JSON, which may stand between tokens only, begins another `data` line.
fn frame(json: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(json.len() + 24);
    frame.extend_from_slice(b"event: next\n");
    for line in json.split(|byte| matches!(byte, b'\n' | b'\r')) {
        frame.extend_from_slice(b"data: ");
        frame.extend_from_slice(line);
        frame.push(b'\n');
    }
    frame.push(b'\n');
    Bytes::from(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_framed_whatever_whitespace_its_json_has() {
        assert_eq!(frame(b"{\"data\":1}"), &b"event: next\ndata: {\"data\":1}\n\n"[..]);
        assert_eq!(frame(b"{\n\"data\":1\r}"), &b"event: next\ndata: {\ndata: \"data\":1\ndata: }\n\n"[..]);
    }
}
