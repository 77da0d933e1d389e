//! How the provider is reached: over the network, or in this process where it is the shop's own.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Limited};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, reqwest};
use tower::ServiceExt as _;

/// How long the provider may take; somebody waits.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Discovery documents and key sets are far smaller.
const LARGEST_ANSWER: usize = 1 << 20;

/// The way to a provider.
#[derive(Debug, Clone)]
pub enum Transport {
    /// HTTP over the network.
    Network(reqwest::Client),
    /// A provider in this process: the same requests, without a network between.
    Local(Router),
}

/// What went wrong on the way.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error(transparent)]
    Network(#[from] reqwest::Error),
    #[error(transparent)]
    Http(#[from] axum::http::Error),
    #[error("the answer cannot be read: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
}

impl Transport {
    /// A way over the network. Redirects are not followed: a provider has no reason for one, and an attacker has.
    pub fn network() -> Result<Self, super::LoginConfigError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map(Self::Network)
            .map_err(|error| super::LoginConfigError::Client(error.to_string()))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let answer = match self {
            Self::Network(client) => {
                axum::http::Response::from(client.execute(request.try_into()?).await?).map(Body::new)
            }
            Self::Local(router) => match router.clone().oneshot(request.map(Body::from)).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            },
        };
        let (parts, body) = answer.into_parts();
        let body =
            Limited::new(body, LARGEST_ANSWER).collect().await.map_err(TransportError::Body)?.to_bytes();
        Ok(HttpResponse::from_parts(parts, body.to_vec()))
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = BoxFuture<'c, Result<HttpResponse, TransportError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
