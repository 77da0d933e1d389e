//! A front end: sends operations over HTTP and checks what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};
use tokio::time::timeout;

/// How long an answer may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// What GraphQL clients say they understand.
const ACCEPT: &str = "application/graphql-response+json, application/json;q=0.9";

/// Somebody who asks a gateway: a guest, or a user with a token.
#[derive(Clone)]
pub struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    /// The gateway: scheme, host and port.
    pub base: String,
    /// An access token.
    pub token: Option<String>,
    /// Requests that it and its copies have sent.
    sent: Arc<AtomicUsize>,
}

/// A connection that nobody has used for so long is not used again: shorter than a gateway drains for.
const IDLE: Duration = Duration::from_secs(1);

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    /// A guest of this gateway.
    pub fn guest(base: &str) -> Self {
        let http = Http::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build_http();
        Self { http, base: base.to_owned(), token: None, sent: Arc::default() }
    }

    /// The same front end after a log-in.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// How many requests it and its copies have sent.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Acquire)
    }

    /// A request to the gateway with this client's token, to be completed.
    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let request =
            Request::builder().method(method).uri(format!("{}{path}", self.base)).header("x-channel", "us");
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        self.sent.fetch_add(1, Ordering::AcqRel);
        let what = format!("{} {}", request.method(), request.uri());
        let answer = timeout(PATIENCE, async {
            let (parts, body) = self.http.request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                text: String::from_utf8_lossy(&body).into_owned(),
            })
        });
        answer.await.with_context(|| format!("no answer to {what}"))?.with_context(|| what)
    }

    /// Opens an answer that goes on: server-sent events.
    pub async fn open(&self, request: Request<Full<Bytes>>) -> anyhow::Result<http::Response<Incoming>> {
        Ok(timeout(PATIENCE, self.http.request(request)).await??)
    }

    /// Posts a body to `/graphql`.
    pub async fn post(&self, body: impl Into<Bytes>, headers: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let mut request = self.request("POST", "/graphql");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into()))?).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let mut request = self.request("GET", path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default())?).await
    }

    /// Sends an operation of a document and returns the answer whole, errors included.
    pub async fn ask(
        &self,
        document: &str,
        operation: Option<&str>,
        variables: Value,
    ) -> anyhow::Result<Answer> {
        let body = json!({ "query": document, "operationName": operation, "variables": variables });
        self.post(body.to_string(), &[("content-type", "application/json"), ("accept", ACCEPT)]).await
    }

    /// The data of an operation, which must go through without errors.
    pub async fn data(&self, document: &str, operation: &str, variables: Value) -> anyhow::Result<Value> {
        let answer = self.ask(document, Some(operation), variables).await?;
        let mut body = answer.json()?;
        ensure!(answer.status == 200, "{operation}: status {}: {}", answer.status, answer.text);
        ensure!(body.get("errors").is_none(), "{operation}: {}", answer.text);
        Ok(body["data"].take())
    }

    /// The payload of a mutation's one field.
    pub async fn payload(&self, document: &str, operation: &str, input: Value) -> anyhow::Result<Value> {
        let data = self.data(document, operation, json!({ "i": input })).await?;
        let fields = data.as_object().with_context(|| format!("{operation} has data"))?;
        let payload = fields.values().next().with_context(|| format!("{operation} has a field"))?;
        Ok(payload.clone())
    }

    /// The payload of a mutation that must not be refused.
    pub async fn done(&self, document: &str, operation: &str, input: Value) -> anyhow::Result<Value> {
        let payload = self.payload(document, operation, input).await?;
        ensure!(payload["userErrors"] == json!([]), "{operation} was refused: {payload}");
        Ok(payload)
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text).map_err(|error| anyhow!("no JSON ({error}): {}", self.text))
    }

    /// Status and code of the first error.
    pub fn refusal(&self) -> anyhow::Result<(u16, String)> {
        let body = self.json()?;
        let code = body["errors"][0]["extensions"]["code"].as_str();
        Ok((self.status, code.with_context(|| format!("no code: {}", self.text))?.to_owned()))
    }
}

/// Checks one value of an answer.
pub fn same(what: &str, got: &Value, expected: impl Into<Value>) -> anyhow::Result<()> {
    let expected = expected.into();
    ensure!(*got == expected, "{what}: got {got}, expected {expected}");
    Ok(())
}

/// The codes of a payload's user errors.
pub fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["code"].as_str())
        .collect()
}

/// A text of an answer.
pub fn text(value: &Value) -> anyhow::Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// A number of an answer.
pub fn number(value: &Value) -> anyhow::Result<i64> {
    value.as_i64().with_context(|| format!("{value} is no whole number"))
}

/// A list of an answer.
pub fn list(value: &Value) -> anyhow::Result<&[Value]> {
    value.as_array().map(Vec::as_slice).with_context(|| format!("{value} is no list"))
}
