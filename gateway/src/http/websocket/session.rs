//! One socket: a loop over what the client says and what its operations answer. Each operation is a task of its own, a
//! few answers ahead at the most: a client that does not read holds up its own operations, and nothing that these hold,
//! such as a connection to a database or a value that others wait for.

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamMap;
use trace::{RequestId, TRACEPARENT, TRACESTATE};
use tracing::field::Empty;

use super::message::{Close, Incoming, Outgoing, errors_of};
use crate::Inner;
use crate::http::body::GraphqlRequest;
use crate::operations::{self, Live};
use crate::pipeline::authenticate::parse_bearer;
use crate::pipeline::{Answer, Call, Carrier, Identity};
use crate::rejection::Rejection;

/// What `connection_init` may say in place of headers, which a browser cannot set on a socket.
const CONTEXT_HEADERS: [&str; 5] =
    ["x-channel", "x-currency", "x-country", "accept-language", "x-techpotli-debug"];

/// The protocol's side of a socket.
pub(super) struct Session {
    gateway: Arc<Inner>,
    /// Of the request that became the socket, with what `connection_init` added.
    headers: Arc<HeaderMap>,
    address: Option<IpAddr>,
    request_id: Arc<str>,
    /// There once `connection_init` was acknowledged.
    identity: Option<Identity>,
    /// Comes when the viewer's session ends before their token does.
    ended: BoxFuture<'static, ()>,
    operations: StreamMap<String, BoxStream<'static, Outgoing>>,
    /// How many operations there have been; they tell the ids of their errors apart.
    count: u64,
}

/// Why the loop ends.
enum End {
    /// The peer is gone, or does not read.
    Gone,
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl Session {
    pub(super) fn new(
        gateway: Arc<Inner>,
        mut headers: HeaderMap,
        address: Option<IpAddr>,
        request_id: Arc<str>,
    ) -> Self {
        if trace::is_on() {
            // An operation is in a trace of its own.
            headers.remove(TRACEPARENT);
            headers.remove(TRACESTATE);
        }
        Self {
            gateway,
            headers: Arc::new(headers),
            address,
            request_id,
            identity: None,
            ended: Box::pin(pending()),
            operations: StreamMap::new(),
            count: 0,
        }
    }

    pub(super) async fn run(mut self, mut socket: WebSocket) {
        let _live = Live::socket();
        let end = match socket.protocol() {
            Some(_) => self.converse(&mut socket).await,
            None => End::Close(Close::SubprotocolNotAcceptable),
        };
        if let End::Close(close) = end {
            tracing::debug!(socket.code = close.code(), "socket closed");
            // Whoever is gone by now does not need the reason.
            let _ = self.send(&mut socket, close.into_message()).await;
        }
    }

    async fn converse(&mut self, socket: &mut WebSocket) -> End {
        let limits = self.gateway.config.subscriptions.clone();
        let opened = Instant::now();
        let mut heard = opened;
        let mut next_ping = opened + limits.keep_alive;
        let stopping = self.gateway.tasks.stopping();
        tokio::pin!(stopping);
        loop {
            let until_ack = self.identity.is_none().then_some(opened + limits.init_timeout);
            let expiry =
                self.identity.as_ref().and_then(|identity| self.gateway.authenticator.expiry(identity));
            let step = tokio::select! {
                received = socket.recv() => {
                    heard = Instant::now();
                    self.receive(socket, received).await
                }
                Some((_, outgoing)) = self.operations.next(), if !self.operations.is_empty() => {
                    self.send(socket, outgoing.into_message()).await
                }
                () = at(until_ack) => Err(Close::InitialisationTimeout.into()),
                () = at(expiry) => Err(Close::Forbidden("the access token has expired").into()),
                () = &mut self.ended => Err(Close::Forbidden("the session is over").into()),
                () = sleep_until(next_ping) => {
                    next_ping = Instant::now() + limits.keep_alive;
                    if heard.elapsed() > limits.keep_alive * 2 {
                        Err(End::Gone)
                    } else {
                        self.send(socket, Outgoing::Ping.into_message()).await
                    }
                }
                () = &mut stopping => Err(Close::GoingAway.into()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn receive(
        &mut self,
        socket: &mut WebSocket,
        received: Option<Result<Message, axum::Error>>,
    ) -> Result<(), End> {
        let text = match received {
            Some(Ok(Message::Text(text))) => text,
            // The library answers these itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => return Err(Close::InvalidMessage.into()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
        };
        match Incoming::parse(&text)? {
            Incoming::ConnectionInit { payload } => {
                self.initialise(payload.unwrap_or_default()).await?;
                self.send(socket, Outgoing::ConnectionAck.into_message()).await
            }
            Incoming::Ping {} => self.send(socket, Outgoing::Pong.into_message()).await,
            Incoming::Pong {} => Ok(()),
            Incoming::Subscribe { id, payload } => self.subscribe(id, payload),
            Incoming::Complete { id } => {
                // Dropping the stream ends the operation at its subgraphs.
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    async fn initialise(&mut self, payload: Map<String, Value>) -> Result<(), End> {
        if self.identity.is_some() {
            return Err(Close::TooManyInitialisations.into());
        }
        let mut headers = HeaderMap::clone(&self.headers);
        let token = take_payload(&mut headers, &payload)?;
        let authenticator = &self.gateway.authenticator;
        let identity = match &token {
            Some(text) => match parse_bearer(text) {
                Ok(token) => authenticator.identify_with(&headers, token).await,
                Err(rejection) => Err(rejection),
            },
            None => authenticator.identify(&headers).await,
        };
        let identity = identity.map_err(|_| Close::Forbidden("the access token is not valid"))?;
        self.headers = Arc::new(headers);
        self.ended = authenticator.ended(&identity);
        self.identity = Some(identity);
        Ok(())
    }

    fn subscribe(&mut self, id: String, request: GraphqlRequest) -> Result<(), End> {
        let Some(identity) = self.identity.clone() else { return Err(Close::Unauthorized.into()) };
        if self.operations.contains_key(&id) {
            return Err(Close::SubscriberExists(id).into());
        }
        self.count += 1;
        let request_id: Arc<str> = format!("{}.{}", self.request_id, self.count).into();
        let admitted = self.admit(&identity);
        let writes = self.gateway.written.of(&identity.viewer, self.address, &self.headers);
        let call = Call {
            identity,
            address: self.address,
            writes,
            request,
            request_id: request_id.clone(),
            headers: self.headers.clone(),
            received: Instant::now(),
            carrier: Carrier { mutations: true, events: true },
        };
        let gateway = self.gateway.clone();
        let call_id = request_id.clone();
        let key = id.clone();
        let span = || {
            tracing::info_span!(
                target: trace::ROOT, "operation", otel.kind = "server", otel.name = "operation of a socket",
                request.id = &*call_id, graphql.operation.name = Empty
            )
        };
        let recorded = trace::is_recorded(None, false);
        let answering = async move {
            let answer = match admitted {
                Ok(()) => gateway.answer(call).await.map(|(answer, _)| answer),
                Err(rejection) => Err(rejection),
            };
            outgoing(id, answer, &request_id)
        };
        let answers = trace::carry(RequestId::parse(&call_id), None, recorded, span, answering);
        let answers = stream::once(answers).flatten();
        self.operations.insert(key, self.gateway.tasks.apart("operation of a socket", answers).boxed());
        Ok(())
    }

    /// An operation counts as a request does, and a socket carries so many at a time.
    fn admit(&self, identity: &Identity) -> Result<(), Rejection> {
        if self.operations.len() >= self.gateway.config.subscriptions.per_socket {
            let message = "This socket has as many operations as it may have.";
            return Err(Rejection::throttled(message, Duration::from_secs(1)));
        }
        let by_address = self.gateway.admit_address(self.address)?;
        self.gateway.admit_user(identity, by_address)?;
        Ok(())
    }

    /// Sends within the time that a peer has to accept it.
    fn send<'a>(
        &self,
        socket: &'a mut WebSocket,
        message: Message,
    ) -> impl Future<Output = Result<(), End>> + Send + use<'a> {
        let sent = tokio::time::timeout(self.gateway.config.subscriptions.send_timeout, socket.send(message));
        async move {
            match sent.await {
                Ok(Ok(())) => Ok(()),
                _ => Err(End::Gone),
            }
        }
    }
}

/// The messages that an answer becomes.
fn outgoing(id: String, answer: Result<Answer, Rejection>, request_id: &str) -> BoxStream<'static, Outgoing> {
    let complete = Outgoing::Complete { id: id.clone() };
    match answer {
        Ok(Answer::Single(response)) if !response.is_executed() => {
            stream::iter([Outgoing::Error { id, errors: errors_of(response) }]).boxed()
        }
        Ok(Answer::Single(response)) => stream::iter([Outgoing::Next { id, response }, complete]).boxed(),
        Ok(Answer::Events(events)) => {
            let next = events.map(move |response| Outgoing::Next { id: id.clone(), response });
            next.chain(stream::iter([complete])).boxed()
        }
        Err(rejection) => {
            operations::count_rejection(rejection.code());
            let errors = errors_of(rejection.into_response(request_id));
            stream::iter([Outgoing::Error { id, errors }]).boxed()
        }
    }
}

/// Takes over what `connection_init` says about where the client stands; returns the `authorization` in it. A token in
/// the headers and another one here contradict each other.
fn take_payload(headers: &mut HeaderMap, payload: &Map<String, Value>) -> Result<Option<String>, Close> {
    let mut token = None;
    for (name, value) in payload {
        let name = name.to_ascii_lowercase();
        let is_context = CONTEXT_HEADERS.contains(&name.as_str());
        if name != "authorization" && !is_context {
            continue;
        }
        let text = value.as_str().ok_or(Close::Forbidden("a header in the payload is no text"))?;
        if is_context {
            let pair = HeaderName::try_from(&name).ok().zip(HeaderValue::from_str(text).ok());
            let (name, value) = pair.ok_or(Close::Forbidden("a header in the payload is not valid"))?;
            headers.insert(name, value);
        } else if token.replace(text.to_owned()).is_some() {
            return Err(Close::Forbidden("there are two tokens"));
        }
    }
    let in_headers = headers.get(axum::http::header::AUTHORIZATION);
    match (&token, in_headers) {
        (Some(token), Some(header)) if header.as_bytes() != token.as_bytes() => {
            Err(Close::Forbidden("there are two tokens"))
        }
        _ => Ok(token),
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
