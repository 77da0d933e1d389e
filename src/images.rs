//! The demo products' pictures, drawn from their addresses.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// `/images/*.svg`.
pub fn router() -> Router {
    Router::new().route("/images/{name}", get(picture))
}

async fn picture(Path(name): Path<String>) -> Response {
    match name.strip_suffix(".svg").and_then(seed::svg) {
        Some(svg) => {
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml"),
                // The address holds a hash of the picture: it never changes.
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
            ];
            (headers, svg).into_response()
        }
        None => (StatusCode::NOT_FOUND, "There is no such picture.\n").into_response(),
    }
}
