//! GraphiQL from the binary: built in `gateway/graphiql`, embedded gzipped, no request leaves the machine.

use std::io::Read as _;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};

use crate::Inner;

#[derive(Embed)]
#[folder = "assets/graphiql"]
struct Assets;

/// Everything from here, nothing from elsewhere. The editor needs inline styles, workers, and its fonts as data.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self'; \
     connect-src 'self'; font-src 'self' data:; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
const SAFETY: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
/// The name of everything in this folder has its hash in it.
const HASHED: &str = "assets/";

/// The page itself, wherever it is asked for.
pub(super) async fn page(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

/// What the page loads.
pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(&path, &headers)
}

/// What the page is to show at first, and its demo users.
pub(super) async fn tabs(State(gateway): State<Arc<Inner>>) -> Response {
    match &gateway.config.graphiql {
        Some(graphiql) => ([(header::CACHE_CONTROL, "no-store")], Json(graphiql)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn serve(path: &str, request: &HeaderMap) -> Response {
    let Some(file) = Assets::get(&format!("{path}.gz")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{:016x}\"", u64::from_be_bytes(first_eight(&file)));
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.extend(SAFETY);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, accept"));
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, value);
    }
    let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let media_type = mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if takes_gzip(request) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *response.body_mut() = Body::from(file.data);
    } else {
        let mut plain = Vec::new();
        if GzDecoder::new(&*file.data).read_to_end(&mut plain).is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        *response.body_mut() = Body::from(plain);
    }
    response
}

fn first_eight(file: &EmbeddedFile) -> [u8; 8] {
    let hash = file.metadata.sha256_hash();
    std::array::from_fn(|at| hash[at])
}

fn takes_gzip(request: &HeaderMap) -> bool {
    let accepted = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}
