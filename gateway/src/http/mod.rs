//! The ways in: routes and the layers around them.

mod address;
pub(crate) mod body;
mod csrf;
mod errors;
mod graphiql;
mod graphql;
mod health;
mod layers;
mod media;
pub(crate) mod request_id;
mod sse;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use tower_http::decompression::RequestDecompressionLayer;

use crate::Inner;

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
    if gateway.config.graphiql.is_some() {
        routes = routes
            .route("/graphiql", get(graphiql::page))
            .route("/graphiql/", get(graphiql::page))
            .route("/graphiql/tabs.json", get(graphiql::tabs))
            .route("/graphiql/{*path}", get(graphiql::asset));
    }
    routes
        .fallback(errors::no_such_route)
        // The last layer here is the first that a request meets.
        .layer(layers::compression()) // answers only, and only for those who ask
        .layer(layers::cors(&gateway.config.cors)) // answers preflights, so it stands before all that refuses
        .layer(layers::panics()) // a bug costs one request
        .layer(from_fn(errors::explain)) // whatever is refused by a layer or route is refused in JSON
        .layer(from_fn(request_id::identify)) // everything else needs the id
        .with_state(gateway)
}
