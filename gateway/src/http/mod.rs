//! The ways in: routes and the layers around them.

mod address;
pub(crate) mod body;
pub(crate) mod csrf;
mod errors;
mod graphiql;
mod graphql;
mod health;
mod layers;
mod leftover;
mod login;
mod media;
pub(crate) mod request_id;
mod sse;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::decompression::RequestDecompressionLayer;

use self::request_id::Believed;
use crate::Inner;
use crate::config::GatewayConfig;

/// All routes of the gateway, layered.
pub(crate) fn router(gateway: Arc<Inner>) -> Router {
    // Only gzip: other codings let a small body ask for a large window.
    let inflate = RequestDecompressionLayer::new().gzip(true).deflate(false).br(false).zstd(false);
    let mut routes = Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post))
        .layer(inflate)
        .route("/graphql/ws", get(websocket::upgrade))
        .route("/health", get(health::alive))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics));
    if gateway.logins.is_some() {
        routes = routes
            .route("/auth/login", get(login::begin))
            .route("/auth/callback", get(login::finish))
            .route("/auth/logout", get(login::log_out).post(login::log_out))
            .route("/auth/backchannel-logout", post(login::hear_logout));
    }
    if gateway.config.graphiql.is_some() {
        routes = routes
            .route("/graphiql", get(graphiql::page))
            .route("/graphiql/", get(graphiql::page))
            .route("/graphiql/tabs.json", get(graphiql::tabs))
            .route("/graphiql/{*path}", get(graphiql::asset));
    }
    layered(routes.fallback(errors::no_such_route), &gateway.config).with_state(gateway)
}

/// Routes that are not the gateway's: who asks too often hears so here, too, and a bug costs one request.
pub(crate) fn counted(routes: Router, gateway: Arc<Inner>, field: Option<&'static str>) -> Router {
    let believed = Believed::by(&gateway.config);
    routes
        .layer(layers::panics())
        .layer(from_fn_with_state((gateway, field), address::count))
        .layer(from_fn_with_state(believed, request_id::identify))
}

fn layered<S: Clone + Send + Sync + 'static>(routes: Router<S>, config: &GatewayConfig) -> Router<S> {
    routes
        // The last layer here is the first that a request meets.
        .layer(layers::compression()) // answers only, and only for those who ask
        .layer(layers::cors(&config.cors)) // answers preflights, so it stands before all that refuses
        .layer(layers::panics()) // a bug costs one request
        .layer(from_fn(errors::explain)) // whatever is refused by a layer or route is refused in JSON
        .layer(from_fn_with_state(leftover::patience(config.deadline), leftover::read)) // so that a refusal is read, too
        .layer(from_fn_with_state(Believed::by(config), request_id::identify)) // everything else needs the id
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_panic_costs_one_request_and_is_told_in_json() {
        async fn broken() {
            panic!("a bug with a secret in it");
        }
        let router: Router = layered(Router::new().route("/", get(broken)), &GatewayConfig::default());
        for _ in 0..2 {
            let response = router.clone().oneshot(Request::new(Body::empty())).await.unwrap();
            assert_eq!(response.status(), 500);
            assert!(response.headers().contains_key("x-request-id"));
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL");
            assert!(!body.to_string().contains("secret"));
        }
    }
}
