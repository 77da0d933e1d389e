//! What a client still sends when its request is refused already.
//!
//! Many clients write the whole body before they read, and a server that closes on them meanwhile makes them fail with
//! a broken pipe before they see why (RFC 9112, section 9.6). So the rest of a body is read and thrown away before the
//! answer goes out, as long as that is cheap; otherwise the answer says `Connection: close`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How much is read and thrown away, in bytes: what somebody sends by mistake, and not what floods.
const MOST: u64 = 8 << 20;
/// For how long, where the deadline of requests is not sooner.
const LONGEST: Duration = Duration::from_secs(2);

/// How long the rest of a body is read, under this deadline of requests.
pub(super) fn patience(deadline: Duration) -> Duration {
    deadline.min(LONGEST)
}

/// Reads what is left of the request's body after the answer is made and before it is sent.
pub(super) async fn read(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    // Later versions end a stream without ending the connection.
    if request.body().is_end_stream() || request.version() > Version::HTTP_11 {
        return next.run(request).await;
    }
    let waits = waits_to_send(request.headers());
    let (give_back, mut left) = oneshot::channel();
    let lend =
        |body| Body::new(Lent { body: Some(body), begun: false, ended: false, give_back: Some(give_back) });
    let mut response = next.run(request.map(lend)).await;
    // Whoever has the body still, answers while it comes.
    let Ok(Left { body, begun }) = left.try_recv() else { return response };
    // A client that waits for a word of ours sends nothing, and one that took too long has had its time.
    let is_hopeless = (waits && !begun) || response.status() == StatusCode::REQUEST_TIMEOUT;
    if is_hopeless || !timeout(patience, drain(body)).await.unwrap_or(false) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// RFC 9110, section 10.1.1. To read such a body would ask for it.
fn waits_to_send(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Whether the body came to its end.
async fn drain(mut body: Body) -> bool {
    if body.size_hint().lower() > MOST {
        return false;
    }
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > MOST {
            return false;
        }
    }
    true
}

/// A body that comes back, unless it was read to its end.
struct Lent {
    body: Option<Body>,
    begun: bool,
    ended: bool,
    give_back: Option<oneshot::Sender<Left>>,
}

struct Left {
    body: Body,
    begun: bool,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.begun = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        self.ended = matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (false, false, Some(body), Some(give_back)) =
            (self.ended, self.is_end_stream(), self.body.take(), self.give_back.take())
        {
            // Nobody takes it when the client has gone.
            let _ = give_back.send(Left { body, begun: self.begun });
        }
    }
}
