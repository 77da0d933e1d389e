//! Subgraphs over HTTP: one pool of connections for all, bodies bounded while they arrive.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use super::{CallError, sse};
use crate::RequestContext;

/// Tells a subgraph how many milliseconds are left until its answer is of no use.
pub const DEADLINE_HEADER: HeaderName = HeaderName::from_static("x-deadline-ms");

/// Bounds on calls over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// An answer, or an event of a subscription, may be this long.
    pub max_response_bytes: usize,
    pub connect_timeout: Duration,
    /// A call may take this long even where the request has no deadline or a later one.
    pub call_timeout: Duration,
    /// A connection that nobody has used for so long is not used again. To be shorter than subgraphs drain for: while they
    /// do, each answer gives its connection up, so none is left that they would close under a request.
    pub idle_timeout: Duration,
    /// Idle connections kept for each subgraph.
    pub max_idle_per_host: usize,
    /// Speak HTTP/2 without TLS, too; the subgraphs must know it.
    pub http2_only: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            max_response_bytes: 16 << 20,
            connect_timeout: Duration::from_secs(2),
            call_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(1),
            max_idle_per_host: 256,
            http2_only: false,
        }
    }
}

/// A pool of connections, shared by all subgraphs; cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    options: HttpOptions,
}

impl HttpClient {
    /// An empty pool. TLS trusts the roots of Mozilla's programme.
    pub fn new(options: HttpOptions) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(options.connect_timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.max_idle_per_host)
            .http2_only(options.http2_only)
            .build(connector);
        HttpClient { client, options }
    }

    /// The subgraph at this address.
    pub fn subgraph(&self, url: Uri) -> HttpSubgraph {
        HttpSubgraph { http: self.clone(), url }
    }
}

/// A subgraph at an address.
#[derive(Clone, Debug)]
pub struct HttpSubgraph {
    http: HttpClient,
    url: Uri,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ACCEPT_JSON: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");
const ACCEPT_EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

impl HttpSubgraph {
    /// Sends a request and receives the whole answer, with its status.
    pub(crate) async fn send(
        &self,
        name: &str,
        body: Bytes,
        context: &RequestContext,
    ) -> Result<(u16, Bytes), CallError> {
        let request = self.request(name, body, context, ACCEPT_JSON);
        let limit = self.http.options.max_response_bytes;
        let call = async {
            let response =
                self.http.client.request(request).await.map_err(|error| self.failed(name, &error))?;
            let status = response.status();
            let json = status.is_success() || says_graphql(&response);
            if !json {
                return Err(CallError::Status(status));
            }
            let body = collect(response.into_body(), limit).await?;
            Ok((status.as_u16(), body))
        };
        let timeout = tokio::time::timeout(self.http.options.call_timeout, call);
        timeout.await.unwrap_or(Err(CallError::Deadline))
    }

    /// Opens a subscription over server-sent events; each item is the JSON of one response. The deadline is
    /// that of the opening, so the subgraph does not hear of it.
    pub(crate) async fn subscribe(
        &self,
        name: &str,
        body: Bytes,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Bytes, CallError>>, CallError> {
        let mut request = self.request(name, body, context, ACCEPT_EVENTS);
        request.headers_mut().remove(DEADLINE_HEADER);
        let opening = self.http.client.request(request);
        let response = tokio::time::timeout(self.http.options.call_timeout, opening)
            .await
            .map_err(|_| CallError::Deadline)?
            .map_err(|error| self.failed(name, &error))?;
        let limit = self.http.options.max_response_bytes;
        if is_media_type(&response, "text/event-stream") {
            return Ok(sse::responses(response.into_body(), limit));
        }
        if says_graphql(&response) {
            // Refused before the first event: a single response that has only errors.
            let body = collect(response.into_body(), limit).await?;
            return Ok(Box::pin(futures::stream::iter([Ok(body)])));
        }
        Err(if response.status().is_success() {
            CallError::NoStream
        } else {
            CallError::Status(response.status())
        })
    }

    fn request(
        &self,
        name: &str,
        body: Bytes,
        context: &RequestContext,
        accept: HeaderValue,
    ) -> Request<Full<Bytes>> {
        let signed = context.signer.as_ref().and_then(|signer| signer.sign(name, &body));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.clone_from(&context.headers);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, accept);
        if let Some(deadline) = context.deadline {
            let left = deadline.saturating_duration_since(Instant::now()).as_millis();
            headers.insert(DEADLINE_HEADER, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
        }
        if let Some(add) = context.outgoing {
            add(headers);
        }
        if let Some((header, value)) = signed {
            headers.insert(header, value);
        }
        request
    }

    /// The reason stays in our log: it can name addresses.
    fn failed(&self, name: &str, error: &hyper_util::client::legacy::Error) -> CallError {
        tracing::warn!(
            subgraph.name = name,
            error = error as &dyn std::error::Error,
            "a subgraph is unreachable"
        );
        CallError::Unreachable
    }
}

fn is_media_type(response: &Response<Incoming>, wanted: &str) -> bool {
    let Some(value) = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    value.split(';').next().is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(wanted))
}

/// Errors of GraphQL come with other statuses than 200, too, then with a body that says so.
fn says_graphql(response: &Response<Incoming>) -> bool {
    is_media_type(response, "application/graphql-response+json")
        || (is_media_type(response, "application/json") && !response.status().is_server_error())
}

/// Reads a body, giving up as soon as it is longer than `limit`.
async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, CallError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(CallError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| CallError::Unreachable)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(CallError::TooLarge);
        }
        // Most answers arrive in one frame, which then needs no copy.
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(announced.max(first.len() + data.len()));
            rest.extend_from_slice(&first);
            first = Bytes::new();
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
