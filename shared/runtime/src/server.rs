//! An HTTP server that finishes what it began before it ends.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::Tasks;

/// Why a server cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be listened on")]
pub struct ListenError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: std::io::Error,
}

/// Takes the address, so that a port in use is found before anything else is done.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError { address, source })
}

/// Serves until the tasks are told to stop, then finishes the requests under way. While they drain, each answer asks its
/// client to leave the connection, so that at the end there is none on which a request could be lost.
pub fn serve(name: &'static str, listener: TcpListener, router: Router, tasks: &Tasks) {
    let stopping = tasks.stopping();
    let router = router.layer(from_fn_with_state(tasks.clone(), leave_when_draining));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tasks.spawn(name, async move {
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopping).await {
            tracing::error!(server = name, %error, "the server ended with an error");
        }
    });
}

async fn leave_when_draining(State(tasks): State<Tasks>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if tasks.is_draining() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
