//! A request that is refused before its body is read: the client must get to see why.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};
use gateway::{GatewayConfig, Rate, RateLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::door::Door;

/// Of the client's sending side and the server's receiving one: small, so that bodies do not fit into them.
const BUFFERS: u32 = 16 << 10;
/// Far more than both buffers hold.
const LARGE: usize = 4 << 20;
/// More than a server throws away.
const HUGE: usize = 1 << 30;

const JSON: &str = "content-type: application/json\r\n";

async fn serve(door: &Door) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(BUFFERS).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let address = listener.local_addr().unwrap();
    runtime::server::serve("test", listener, door.router.clone(), &door.tasks);
    address
}

/// A client that writes all it has before it reads.
struct Writer {
    stream: TcpStream,
    unread: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Writer {
    async fn connect(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(BUFFERS).unwrap();
        Self { stream: socket.connect(address).await.unwrap(), unread: Vec::new() }
    }

    async fn write(&mut self, bytes: &[u8], what: &str) {
        self.stream.write_all(bytes).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }

    /// One answer, of a known length.
    async fn read(&mut self, what: &str) -> Answer {
        let head = loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break self.unread.drain(..end + 4).collect::<Vec<u8>>();
            }
            self.more(what).await;
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HeaderMap = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .collect();
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        while self.unread.len() < length {
            self.more(what).await;
        }
        let body: Vec<u8> = self.unread.drain(..length).collect();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap() }
    }

    async fn more(&mut self, what: &str) {
        let mut bytes = [0; 4_096];
        let count = self.stream.read(&mut bytes).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_ne!(count, 0, "{what}: closed before the answer");
        self.unread.extend_from_slice(&bytes[..count]);
    }

    /// The connection is good for another request.
    async fn goes_on(&mut self, what: &str) {
        let body = json!({ "query": "{ hello }" }).to_string();
        let length = body.len();
        let head = format!("POST /graphql HTTP/1.1\r\nhost: shop\r\n{JSON}content-length: {length}\r\n\r\n");
        self.write((head + &body).as_bytes(), what).await;
        let answer = self.read(what).await;
        assert_eq!((answer.status, &answer.body["data"]["hello"]), (200, &json!("world")), "{what}");
    }
}

fn head(method: &str, path: &str, headers: &str, length: usize) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: shop\r\n{headers}content-length: {length}\r\n\r\n")
}

#[tokio::test]
async fn whoever_writes_a_large_body_to_its_end_reads_why_it_was_refused_and_goes_on() {
    let door = Door::new();
    let address = serve(&door).await;
    let refused = [
        ("POST", "/graphql", JSON.to_owned(), 413),
        ("POST", "/graphql", "content-type: text/plain\r\n".to_owned(), 415),
        ("POST", "/graphql", format!("{JSON}content-encoding: br\r\n"), 415),
        ("POST", "/graphql", format!("{JSON}accept: text/html\r\n"), 406),
        ("POST", "/graphql", format!("{JSON}authorization: Bearer nonsense\r\n"), 401),
        ("PUT", "/graphql", JSON.to_owned(), 405),
        ("POST", "/nowhere", JSON.to_owned(), 404),
    ];
    let mut kept = Writer::connect(address).await;
    for round in 0..3 {
        for (method, path, headers, status) in &refused {
            let what = format!("round {round}: {status} to {method} {path} {headers:?}");
            let mut fresh = Writer::connect(address).await;
            for writer in [&mut kept, &mut fresh] {
                writer.write(head(method, path, headers, LARGE).as_bytes(), &what).await;
                writer.write(&vec![b' '; LARGE], &what).await;
                let answer = writer.read(&what).await;
                assert_eq!(answer.status, *status, "{what}");
                assert!(answer.body["errors"][0]["extensions"]["code"].is_string(), "{what}");
                assert!(!answer.headers.contains_key("connection"), "{what}: {:?}", answer.headers);
                writer.goes_on(&what).await;
            }
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_on_after_its_bound() {
    let door = Door::new();
    let address = serve(&door).await;
    let mut writer = Writer::connect(address).await;
    for round in 0..3 {
        let what = format!("round {round}");
        let head =
            format!("POST /graphql HTTP/1.1\r\nhost: shop\r\n{JSON}transfer-encoding: chunked\r\n\r\n");
        writer.write(head.as_bytes(), &what).await;
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        for _ in 0..LARGE / 0x10000 {
            writer.write(&chunk, &what).await;
        }
        writer.write(b"0\r\n\r\n", &what).await;
        assert_eq!(writer.read(&what).await.status, 413, "{what}");
        writer.goes_on(&what).await;
    }
}

#[tokio::test]
async fn who_is_throttled_reads_it() {
    let rate = Rate { requests: 1, window: Duration::from_secs(3_600) };
    let door = Door::with(|config| {
        config.rates = Some(RateLimits { per_address: rate, per_user: rate, ..RateLimits::default() })
    });
    let address = serve(&door).await;
    let mut writer = Writer::connect(address).await;
    writer.goes_on("the first").await;
    for _ in 0..3 {
        writer.write(head("POST", "/graphql", JSON, LARGE).as_bytes(), "throttled").await;
        writer.write(&vec![b' '; LARGE], "throttled").await;
        assert_eq!(writer.read("throttled").await.status, 429);
    }
}

#[tokio::test]
async fn what_is_too_much_to_throw_away_ends_the_connection() {
    let door = Door::new();
    let address = serve(&door).await;
    for headers in [JSON.to_owned(), format!("{JSON}expect: 100-continue\r\n")] {
        let mut writer = Writer::connect(address).await;
        writer.write(head("POST", "/graphql", &headers, HUGE).as_bytes(), &headers).await;
        let answer = writer.read(&headers).await;
        assert_eq!((answer.status, &answer.headers["connection"]), (413, &HeaderValue::from_static("close")));
    }
    // One that waits to be asked for its body is told no, without being asked.
    let mut writer = Writer::connect(address).await;
    let headers = format!("{JSON}expect: 100-continue\r\n");
    writer.write(head("POST", "/graphql", &headers, LARGE).as_bytes(), &headers).await;
    let answer = writer.read(&headers).await;
    assert_eq!((answer.status, &answer.headers["connection"]), (413, &HeaderValue::from_static("close")));
}

#[tokio::test]
async fn the_rest_of_a_body_is_not_waited_for_beyond_the_deadline() {
    let door = Door::with(|config: &mut GatewayConfig| config.deadline = Duration::from_millis(20));
    let trickle = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post("/graphql").header("content-type", "text/plain").body(trickle).unwrap();
    let reply = door.send(request).await;
    assert_eq!((reply.status.as_u16(), reply.header("connection")), (415, "close"));
}
