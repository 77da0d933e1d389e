//! Refusals by routes and layers, in the same JSON as everything else.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use trace::RequestId;

use super::media::ResponseType;
use crate::operations;
use crate::rejection::{Code, Rejection};

/// The answer to a rejected request.
pub(super) fn reply(rejection: Rejection, as_type: ResponseType, request_id: &Arc<str>) -> Response {
    operations::count_rejection(rejection.code());
    let status = match as_type {
        ResponseType::Json if rejection.is_request_error => StatusCode::OK,
        _ => rejection.status,
    };
    let mut headers: HeaderMap = rejection.headers.iter().cloned().collect();
    headers.insert(header::CONTENT_TYPE, as_type.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let body = rejection.into_response(request_id).into_body();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

pub(super) async fn no_such_route(Extension(id): Extension<RequestId>, uri: Uri) -> Response {
    let message = format!("There is nothing at {}. The API is at /graphql.", uri.path());
    reply(Rejection::http(StatusCode::NOT_FOUND, Code::NotFound, message), ResponseType::Json, id.text())
}

/// Gives a body of ours to errors that have none of ours: those of axum and of the layers inside this one.
pub(super) async fn explain(Extension(id): Extension<RequestId>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_json(&response) {
        return response;
    }
    let (code, message) = match status {
        StatusCode::METHOD_NOT_ALLOWED => (Code::BadUserInput, "This method is not served here."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (Code::BadUserInput, "Only gzip is understood as Content-Encoding.")
        }
        StatusCode::NOT_FOUND => (Code::NotFound, "There is nothing here."),
        _ if status.is_client_error() => (Code::BadUserInput, "The request cannot be understood."),
        _ => (Code::Internal, "Something went wrong on our side."),
    };
    let (parts, _) = response.into_parts();
    let mut explained = reply(Rejection::http(status, code, message), ResponseType::Json, id.text());
    let of_the_body = [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::ETAG];
    for (name, value) in &parts.headers {
        if !explained.headers().contains_key(name) && !of_the_body.contains(name) {
            explained.headers_mut().insert(name, value.clone());
        }
    }
    explained
}

fn is_json(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.starts_with("application/") && text.contains("json"))
}
