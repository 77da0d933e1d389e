//! Subscriptions over WebSocket: the protocol `graphql-transport-ws` (graphql-ws, PROTOCOL.md). Queries and mutations
//! may be sent this way, too.

mod message;
mod session;

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use trace::RequestId;
use tracing::Span;

use super::media::ResponseType;
use super::{address, errors, sse};
use crate::Inner;
use crate::config::Cors;
use crate::rejection::{Code, Rejection};
use session::Session;

const PROTOCOL: &str = "graphql-transport-ws";

/// Turns a request into a socket.
pub(super) async fn upgrade(
    State(gateway): State<Arc<Inner>>,
    socket: WebSocketUpgrade,
    request: Request,
) -> Response {
    let request_id =
        request.extensions().get::<RequestId>().map_or_else(|| Arc::from(""), |id| id.text().clone());
    match accept(gateway, socket, &request, &request_id) {
        Ok(response) => response,
        Err(rejection) => errors::reply(rejection, ResponseType::Json, &request_id),
    }
}

fn accept(
    gateway: Arc<Inner>,
    socket: WebSocketUpgrade,
    request: &Request,
    request_id: &Arc<str>,
) -> Result<Response, Rejection> {
    if !is_from_allowed_page(request.headers(), &gateway.config.cors) {
        let message = "Pages of this origin may not open sockets here.";
        return Err(Rejection::http(StatusCode::FORBIDDEN, Code::Forbidden, message));
    }
    let address = address::client(request.headers(), request.extensions(), &gateway.config.trusted_proxies);
    gateway.admit_address(address)?;
    let permit = gateway.streams.clone().try_acquire_owned().map_err(|_| sse::full())?;
    let limit = gateway.config.limits.body_bytes;
    let session = Session::new(gateway, request.headers().clone(), address, request_id.clone());
    let socket = socket.protocols([PROTOCOL]).max_message_size(limit).max_frame_size(limit);
    // The socket's task is another one than its request's.
    let request = RequestId::parse(request_id);
    Ok(socket.on_upgrade(move |socket| async move {
        trace::carry(request, None, false, Span::none, session.run(socket)).await;
        drop(permit);
    }))
}

/// A browser lets any page open a socket to anywhere and says only whose page it is.
fn is_from_allowed_page(headers: &HeaderMap, cors: &Cors) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return !headers.contains_key(header::ORIGIN) };
    let own = origin.split_once("://").map(|(_, host)| host);
    own.is_some() && own == text(header::HOST) || cors.admits(origin)
}
