//! Subscriptions over WebSocket: graphql-transport-ws, its close codes, and its bounds.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{self, http::HeaderValue};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::door::Door;

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn open(door: &Door, path: &str, headers: &[(&'static str, &str)]) -> tungstenite::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        runtime::server::serve("test", listener, door.router.clone(), &door.tasks);
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self(socket))
    }

    async fn connect(door: &Door) -> Self {
        Self::open(door, "/graphql/ws", &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    /// A socket that has been acknowledged.
    async fn ready(door: &Door) -> Self {
        let mut socket = Self::connect(door).await;
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn say(&mut self, message: Value) {
        self.say_raw(Message::text(message.to_string())).await;
    }

    async fn say_raw(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
    }

    /// The next message that is not a ping.
    async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] != "ping" {
                        return message;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no message but {other:?}"),
            }
        }
    }

    /// The code and reason that the gateway closes with.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("not closed but {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_subscription_sends_its_events_and_its_end() {
    let door = Door::new();
    let mut socket = Socket::ready(&door).await;
    socket.subscribe("one", "subscription { ticks }").await;
    for n in 1..=3 {
        let expected = json!({ "id": "one", "type": "next", "payload": { "data": { "ticks": n } } });
        assert_eq!(socket.hear().await, expected);
    }
    assert_eq!(socket.hear().await, json!({ "id": "one", "type": "complete" }));
    // The id is free again, and a query may come this way, too.
    socket.subscribe("one", "{ hello }").await;
    assert_eq!(socket.hear().await["payload"], json!({ "data": { "hello": "world" } }));
    assert_eq!(socket.hear().await, json!({ "id": "one", "type": "complete" }));
    socket.subscribe("two", "mutation { add(n: 1) }").await;
    assert_eq!(socket.hear().await["payload"], json!({ "data": { "add": 3 } }));
}

#[tokio::test]
async fn the_socket_opens_at_the_address_of_the_api_too() {
    let door = Door::new();
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
    let mut socket = Socket::open(&door, "/graphql", &protocol).await.unwrap();
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn several_operations_share_a_socket_and_one_can_be_ended() {
    let door = Door::new();
    let mut socket = Socket::ready(&door).await;
    for id in ["a", "b"] {
        socket.subscribe(id, "subscription { forever }").await;
        assert_eq!(socket.hear().await["id"], id);
    }
    assert_eq!(door.running.load(Ordering::SeqCst), 2);
    socket.say(json!({ "id": "a", "type": "complete" })).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    door.comes_to_run(1).await;
}

#[tokio::test]
async fn an_operation_that_is_refused_is_an_error_and_the_socket_stays() {
    let door = Door::new();
    let mut socket = Socket::ready(&door).await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nobody }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($t: String!) { echo(text: $t) }", "BAD_USER_INPUT"),
        ("{ products(first: 100) { similar(first: 100) { id } } }", "COST_EXCEEDED"),
    ] {
        socket.subscribe("x", query).await;
        let message = socket.hear().await;
        assert_eq!((&message["id"], &message["type"]), (&json!("x"), &json!("error")), "{query}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{query}");
        assert!(message["payload"][0]["extensions"]["requestId"].is_string());
    }
}

#[tokio::test]
async fn whoever_breaks_the_protocol_is_closed_with_its_code() {
    let door = Door::new();
    let init = json!({ "type": "connection_init" });
    let subscribe =
        json!({ "id": "1", "type": "subscribe", "payload": { "query": "subscription { forever }" } });
    for (messages, code) in [
        (vec![json!("hello")], 4400),
        (vec![json!({ "type": "start" })], 4400),
        (vec![init.clone(), json!({ "id": "", "type": "complete" })], 4400),
        (vec![subscribe.clone()], 4401),
        (vec![init.clone(), subscribe.clone(), subscribe.clone()], 4409),
        (vec![init.clone(), init.clone()], 4429),
        (vec![json!({ "type": "connection_init", "payload": { "authorization": "Bearer x.y.z" } })], 4403),
        (vec![json!({ "type": "connection_init", "payload": { "Authorization": 7 } })], 4403),
    ] {
        let mut socket = Socket::connect(&door).await;
        for message in &messages {
            socket.say(message.clone()).await;
        }
        assert_eq!(socket.closed().await.0, code, "{messages:?}");
    }
    let mut socket = Socket::connect(&door).await;
    socket.say_raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.closed().await.0, 4400);
    let mut socket = Socket::connect(&door).await;
    socket.say_raw(Message::text("{")).await;
    assert_eq!(socket.closed().await, (4400, "Invalid message".to_owned()));
}

#[tokio::test]
async fn a_socket_without_init_or_protocol_is_closed() {
    let door = Door::with(|config| config.subscriptions.init_timeout = Duration::from_millis(1));
    let mut socket = Socket::connect(&door).await;
    assert_eq!(socket.closed().await, (4408, "Connection initialisation timeout".to_owned()));
    let mut socket = Socket::open(&door, "/graphql/ws", &[]).await.unwrap();
    assert_eq!(socket.closed().await.0, 4406);
}

#[tokio::test]
async fn a_token_may_come_in_the_payload_and_ends_the_socket_with_it() {
    let door = Door::new();
    let token = door.token(&[]);
    let mut socket = Socket::connect(&door).await;
    let payload = json!({ "Authorization": token, "x-currency": "EUR", "accept-language": "de" });
    socket.say(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.hear().await["type"], "connection_ack");
    socket.subscribe("1", "{ whoami }").await;
    assert_eq!(socket.hear().await["payload"]["data"]["whoami"], "user us EUR US de");
    assert_eq!(socket.hear().await["type"], "complete");
    door.clock.advance(Duration::from_secs(120));
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.closed().await.0, 4403);
}

#[tokio::test]
async fn a_guest_gets_no_event_of_a_guarded_subscription() {
    let door = Door::new();
    let mut socket = Socket::ready(&door).await;
    socket.subscribe("1", "subscription { mine }").await;
    let message = socket.hear().await;
    assert!(message.to_string().contains("UNAUTHENTICATED"), "{message}");
    assert_eq!(door.running.load(Ordering::SeqCst), 0, "the subgraph was not asked");
}

#[tokio::test]
async fn a_socket_carries_so_many_operations_and_no_large_message() {
    let door = Door::with(|config| config.subscriptions.per_socket = 1);
    let mut socket = Socket::ready(&door).await;
    socket.subscribe("a", "subscription { forever }").await;
    assert_eq!(socket.hear().await["type"], "next");
    socket.subscribe("b", "subscription { forever }").await;
    let message = socket.hear().await;
    assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    // Larger than a body may be: the socket ends, and with it what ran on it.
    let _ = socket.0.send(Message::text("x".repeat(300 * 1024))).await;
    while let Some(Ok(_)) = socket.0.next().await {}
    door.comes_to_run(0).await;
}

#[tokio::test]
async fn foreign_pages_and_full_houses_are_turned_away() {
    let door = Door::with(|config| {
        config.cors = gateway::Cors::Origins(vec!["https://shop.example".into()]);
        config.subscriptions.connections = 1;
    });
    let status =
        async |headers: &[(&'static str, &str)]| match Socket::open(&door, "/graphql/ws", headers).await {
            Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other}"),
            Ok(_) => 101,
        };
    assert_eq!(status(&[("origin", "https://evil.example")]).await, 403);
    assert_eq!(status(&[("origin", "null")]).await, 403);
    let _kept = Socket::connect(&door).await;
    assert_eq!(status(&[("origin", "https://shop.example")]).await, 503);
}

#[tokio::test]
async fn sockets_are_closed_when_the_gateway_drains() {
    let door = Door::new();
    let mut socket = Socket::ready(&door).await;
    door.tasks.stop();
    assert_eq!(socket.closed().await.0, 1001);
}
