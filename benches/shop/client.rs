//! A connection that is kept alive, and requests as the shop's pages send them.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// The operations of the shop, as its clients send them: each file holds the operations of one page.
pub fn document(file: &str) -> anyhow::Result<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway/engine/tests/fixtures/operations");
    std::fs::read_to_string(format!("{folder}/{file}.graphql")).with_context(|| format!("{file}.graphql"))
}

/// An operation of one of the files.
pub struct Operation {
    /// Its name in the file.
    pub name: &'static str,
    document: String,
}

impl Operation {
    pub fn read(file: &str, name: &'static str) -> anyhow::Result<Self> {
        Ok(Self { name, document: document(file)? })
    }

    /// The body of a request.
    pub fn body(&self, variables: Value) -> Bytes {
        let body = json!({ "query": self.document, "operationName": self.name, "variables": variables });
        Bytes::from(body.to_string())
    }
}

/// An HTTP/1.1 connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    /// The access token, once somebody has logged in.
    pub token: Option<String>,
}

impl Connection {
    #[expect(clippy::disallowed_methods, reason = "a client of its own, which ends with the benchmark")]
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned(), token: None })
    }

    /// Sends a body to `/graphql` and returns what comes back; an answer with errors fails.
    pub async fn send(&mut self, body: Bytes) -> anyhow::Result<Bytes> {
        let answer = self.request(body, false).await?;
        if has_errors(&answer) {
            bail!("an answer with errors: {}", String::from_utf8_lossy(&answer[..answer.len().min(600)]));
        }
        Ok(answer)
    }

    /// The same, read.
    pub async fn ask(&mut self, operation: &Operation, variables: Value) -> anyhow::Result<Value> {
        let answer = self.send(operation.body(variables)).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// The same with the debug answer: how many fetches, stages and statements it took.
    pub async fn explain(&mut self, operation: &Operation, variables: Value) -> anyhow::Result<Value> {
        let answer = self.request(operation.body(variables), true).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn request(&mut self, body: Bytes, debug: bool) -> anyhow::Result<Bytes> {
        let mut request = hyper::Request::post("/graphql")
            .header("host", &self.host)
            .header("accept", "application/json")
            .header("content-type", "application/json");
        if debug {
            request = request.header("x-techpotli-debug", "plan");
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&answer[..answer.len().min(600)]));
        }
        Ok(answer)
    }
}

/// Whether the answer names errors beside its data.
fn has_errors(answer: &[u8]) -> bool {
    const WANTED: &[u8] = b",\"errors\":[";
    answer.windows(WANTED.len()).any(|window| window == WANTED)
}
