//! GraphQL over HTTP, by its specification: POST and GET at one path, the answer in the type that the client accepts.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::time::{Instant, timeout_at};
use trace::RequestId;

use super::body::{self, GraphqlRequest};
use super::media::{self, Accepted, ResponseType};
use super::{address, csrf, errors, graphiql, sse, websocket};
use crate::Inner;
use crate::pipeline::{Allowance, Answer, Call, Carrier};
use crate::rejection::{Code, Rejection};

/// What of the request an answer depends on, for caches on the way.
const VARY: HeaderValue = HeaderValue::from_static("accept, accept-encoding, authorization, cookie, origin");

pub(super) async fn post(State(gateway): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    serve(gateway, parts, body).await
}

/// A query in the URL; a page for a browser; a socket for who asks to upgrade.
pub(super) async fn get(State(gateway): State<Arc<Inner>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if wants_socket(&parts.headers) {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &gateway).await {
            Ok(socket) => websocket::upgrade(State(gateway), socket, Request::from_parts(parts, body)).await,
            Err(refused) => refused.into_response(),
        };
    }
    if gateway.config.graphiql.is_some() && media::wants_page(&parts.headers) {
        return graphiql::page(parts.headers).await;
    }
    serve(gateway, parts, body).await
}

/// Other upgrades, such as to HTTP/2, may be passed over (RFC 9110, section 7.8).
fn wants_socket(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn serve(gateway: Arc<Inner>, parts: Parts, body: Body) -> Response {
    let received = Instant::now();
    let accepted = Accepted::of(&parts.headers);
    let request_id =
        parts.extensions.get::<RequestId>().map_or_else(|| Arc::from(""), |id| id.text().clone());
    let mut allowance = None;
    let exchange = Exchange { gateway: &gateway, accepted: &accepted, request_id: &request_id, received };
    let mut response = match exchange.run(parts, body, &mut allowance).await {
        Ok(response) => response,
        Err(rejection) => {
            tracing::debug!(error.code = rejection.code(), "rejected");
            errors::reply(rejection, accepted.for_errors(), &request_id)
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, VARY);
    if let Some(allowance) = allowance
        && !headers.contains_key("ratelimit")
    {
        headers.extend(allowance.headers());
    }
    response
}

/// One request under way.
struct Exchange<'a> {
    gateway: &'a Arc<Inner>,
    accepted: &'a Accepted,
    request_id: &'a Arc<str>,
    received: Instant,
}

impl Exchange<'_> {
    async fn run(
        &self,
        parts: Parts,
        body: Body,
        allowance: &mut Option<Allowance>,
    ) -> Result<Response, Rejection> {
        let single = self.accepted.single().ok_or_else(not_acceptable)?;
        let config = &self.gateway.config;
        let is_get = parts.method != Method::POST;
        if is_get && config.csrf {
            csrf::check_get(&parts.headers, &config.cors)?;
        }
        let address = address::client(&parts.headers, &parts.extensions, &config.trusted_proxies);
        let (identity, allowed) = self.gateway.admit(&parts.headers, address).await?;
        *allowance = allowed;
        let client = identity.clone();
        let request = if is_get {
            body::read_get(parts.uri.query().unwrap_or_default(), config.limits.body_bytes)?
        } else {
            self.read_post(&parts, body).await?
        };
        let writes = self.gateway.written.of(&identity.viewer, address, &parts.headers);
        let call = Call {
            identity,
            address,
            writes: writes.clone(),
            request,
            request_id: self.request_id.clone(),
            headers: Arc::new(parts.headers),
            received: self.received,
            carrier: Carrier { mutations: !is_get, events: self.accepted.takes_events() },
        };
        let (answer, decided) = self.gateway.answer(call).await?;
        *allowance = decided.or(allowance.take());
        match answer {
            Answer::Single(response) if single != ResponseType::EventStream => {
                let mut reply = reply(response, single);
                if let Some(cookie) = writes.cookie(&self.gateway.written) {
                    reply.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                Ok(reply)
            }
            Answer::Single(response) => {
                sse::reply(self.gateway, Box::pin(futures::stream::iter([response])), None)
            }
            Answer::Events(events) => sse::reply(self.gateway, events, Some(&client)),
        }
    }

    /// A body that trickles in is not waited for beyond the deadline.
    async fn read_post(&self, parts: &Parts, body: Body) -> Result<GraphqlRequest, Rejection> {
        let config = &self.gateway.config;
        let read = body::read_post(&parts.headers, body, config.limits.body_bytes);
        timeout_at(self.received + config.deadline, read).await.unwrap_or_else(|_| {
            let message = "The body did not arrive in time.";
            Err(Rejection::http(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, message))
        })
    }
}

/// A complete answer. Errors before execution are told from those after it only under the new media type.
fn reply(response: engine::Response, as_type: ResponseType) -> Response {
    let status = match as_type {
        ResponseType::GraphqlResponse if !response.is_executed() => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut reply = Response::new(Body::from(response.into_body()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, as_type.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

fn not_acceptable() -> Rejection {
    let message =
        "Accept must take application/graphql-response+json, application/json or text/event-stream.";
    Rejection::http(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message)
}
