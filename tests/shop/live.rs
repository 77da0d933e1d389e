//! Subscriptions, over both transports: `graphql-transport-ws` and server-sent events.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{Client, PATIENCE};

/// How subscriptions travel.
#[derive(Debug, Clone, Copy)]
pub enum Transport {
    Socket,
    Events,
}

/// Both of them.
pub const TRANSPORTS: [Transport; 2] = [Transport::Socket, Transport::Events];

/// A subscription that is under way.
pub enum Live {
    Socket(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
    Events { body: Incoming, unread: String },
}

impl Live {
    /// Subscribes with an operation of a document.
    pub async fn open(
        client: &Client,
        transport: Transport,
        document: &str,
        operation: &str,
        variables: Value,
    ) -> anyhow::Result<Self> {
        let asked = json!({ "query": document, "operationName": operation, "variables": variables });
        match transport {
            Transport::Socket => socket(client, asked).await,
            Transport::Events => {
                let request = client
                    .request("POST", "/graphql")
                    .header("content-type", "application/json")
                    .header("accept", "text/event-stream")
                    .body(Full::new(Bytes::from(asked.to_string())))?;
                let response = client.open(request).await?;
                ensure!(response.status() == 200, "{operation}: status {}", response.status());
                Ok(Self::Events { body: response.into_body(), unread: String::new() })
            }
        }
    }

    /// The data of the next event; `None` when the subscription has ended.
    pub async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        self.within(PATIENCE).await?.context("no event came in time")
    }

    /// The same, where `None` outside means that the time ran out.
    pub async fn within(&mut self, time: Duration) -> anyhow::Result<Option<Option<Value>>> {
        let Ok(event) = timeout(time, self.event()).await else { return Ok(None) };
        let Some(mut answer) = event? else { return Ok(Some(None)) };
        ensure!(answer.get("errors").is_none(), "an event with errors: {answer}");
        Ok(Some(Some(answer["data"].take())))
    }

    /// The data of the first event that is as wanted; an end before it is a failure.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let mut seen = Vec::new();
        while let Some(data) = self.next().await.with_context(|| format!("{what}; before: {seen:?}"))? {
            if wanted(&data) {
                return Ok(data);
            }
            seen.push(data);
        }
        Err(anyhow!("it ended without {what}; before: {seen:?}"))
    }

    async fn event(&mut self) -> anyhow::Result<Option<Value>> {
        match self {
            Self::Socket(socket) => loop {
                let message = message(socket).await?;
                match message["type"].as_str() {
                    Some("next") => return Ok(Some(message["payload"].clone())),
                    Some("complete") => return Ok(None),
                    Some("ping" | "pong") => {}
                    _ => bail!("an unexpected message: {message}"),
                }
            },
            Self::Events { body, unread } => loop {
                if let Some((event, rest)) = unread.split_once("\n\n") {
                    let event = event.to_owned();
                    *unread = rest.to_owned();
                    match read(&event)? {
                        Some(("next", data)) => return Ok(Some(data)),
                        Some(("complete", _)) => return Ok(None),
                        _ => continue,
                    }
                }
                let Some(frame) = body.frame().await else { return Ok(None) };
                if let Ok(data) = frame?.into_data() {
                    unread.push_str(std::str::from_utf8(&data)?);
                }
            },
        }
    }
}

async fn socket(client: &Client, asked: Value) -> anyhow::Result<Live> {
    let url = format!("{}/graphql/ws", client.base.replacen("http://", "ws://", 1));
    let mut request = url.into_client_request()?;
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = timeout(PATIENCE, connect_async(request)).await??;
    let mut payload = json!({ "x-channel": "us" });
    if let Some(token) = &client.token {
        payload["authorization"] = format!("Bearer {token}").into();
    }
    let hello = json!({ "type": "connection_init", "payload": payload });
    socket.send(Message::text(hello.to_string())).await?;
    let answer = timeout(PATIENCE, message(&mut socket)).await??;
    ensure!(answer["type"] == "connection_ack", "the socket was refused: {answer}");
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": asked });
    socket.send(Message::text(subscribe.to_string())).await?;
    Ok(Live::Socket(Box::new(socket)))
}

async fn message(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> anyhow::Result<Value> {
    loop {
        match socket.next().await.context("the socket was closed")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("an unexpected message: {other:?}"),
        }
    }
}

/// An event's name and data; `None` for a comment that keeps the connection alive.
fn read(event: &str) -> anyhow::Result<Option<(&str, Value)>> {
    let field = |name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_start)
    };
    let Some(name) = field("event") else { return Ok(None) };
    let data = field("data").unwrap_or_default();
    Ok(Some((name, if data.is_empty() { Value::Null } else { serde_json::from_str(data)? })))
}
