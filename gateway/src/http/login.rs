//! The routes of log-ins: to the identity provider, back from it, and out again.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use http_body_util::{BodyExt as _, Limited};
use trace::RequestId;

use super::media::ResponseType;
use super::{address, csrf, errors};
use crate::Inner;
use crate::login::{Begun, LoginError, Logins, Returned};
use crate::rejection::Rejection;

/// A form with one token.
const LARGEST_FORM: usize = 64 * 1024;

/// `GET /auth/login?return_to=/path`: sends the browser to the provider.
pub(super) async fn begin(State(gateway): State<Arc<Inner>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let answer = async {
        let logins = admitted(&gateway, &request)?;
        let [return_to] = parameters(&request, ["return_to"])?;
        Ok(logins.begin(return_to.as_deref()).await?)
    };
    reply(answer.await, &request)
}

/// `GET /auth/callback`: where the provider sends the browser back to.
pub(super) async fn finish(State(gateway): State<Arc<Inner>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let answer = async {
        let logins = admitted(&gateway, &request)?;
        let [state, code, iss, error] = parameters(&request, ["state", "code", "iss", "error"])?;
        Ok(logins.finish(&request.headers, Returned { state, code, iss, error }).await?)
    };
    reply(answer.await, &request)
}

/// `GET` or `POST /auth/logout`: ends the browser's session. A foreign page cannot cause it.
pub(super) async fn log_out(State(gateway): State<Arc<Inner>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let answer = async {
        let logins = admitted(&gateway, &request)?;
        if !csrf::is_from_page(&request.headers, |origin| is_allowed(&gateway, logins, origin)) {
            return Err(csrf::refused_cookie());
        }
        Ok(logins.log_out(&request.headers).await?)
    };
    reply(answer.await, &request)
}

/// `POST /auth/backchannel-logout`: the provider says that a session has ended.
pub(super) async fn hear_logout(State(gateway): State<Arc<Inner>>, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let heard = async {
        let logins = admitted(&gateway, &request)?;
        let body = Limited::new(body, LARGEST_FORM).collect().await;
        let body = body.map_err(|_| Rejection::malformed("The form cannot be read."))?.to_bytes();
        let token = form_urlencoded::parse(&body).find(|(name, _)| name == "logout_token");
        let (_, token) = token.ok_or_else(|| Rejection::malformed("The form has no logout_token."))?;
        logins.hear_logout(&token).await.map_err(|error| match error {
            LoginError::Unavailable => Rejection::from(error),
            // By the specification (section 2.8): 400 for whatever is wrong with the token.
            _ => Rejection::malformed("The logout token does not hold."),
        })
    };
    let mut response = match heard.await {
        Ok(()) => Response::default(),
        Err(rejection) => refusal(rejection, &request),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_allowed(gateway: &Inner, logins: &Logins, origin: &str) -> bool {
    logins.is_own_origin(origin) || gateway.config.cors.names(origin)
}

/// Counted like every request of its address: each costs the provider something.
fn admitted<'a>(gateway: &'a Inner, request: &Parts) -> Result<&'a Logins, Rejection> {
    let address: Option<IpAddr> =
        address::client(&request.headers, &request.extensions, &gateway.config.trusted_proxies);
    gateway.admit_address(address)?;
    gateway.logins.as_deref().ok_or_else(|| LoginError::Unavailable.into())
}

/// These parameters of the query. One that is there twice may mean two things, so it means nothing.
fn parameters<const N: usize>(request: &Parts, names: [&str; N]) -> Result<[Option<String>; N], Rejection> {
    let mut found = names.map(|_| None);
    for (name, value) in form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes()) {
        let Some(place) = names.iter().position(|wanted| *wanted == name) else { continue };
        if found[place].replace(value.into_owned()).is_some() {
            return Err(Rejection::malformed(format!("The parameter {name} must be there once.")));
        }
    }
    Ok(found)
}

fn refusal(rejection: Rejection, request: &Parts) -> Response {
    let id = request.extensions.get::<RequestId>().map_or_else(|| Arc::from(""), |id| id.text().clone());
    tracing::debug!(request.id = %id, error.code = rejection.code(), "a log-in does not go on");
    errors::reply(rejection, ResponseType::Json, &id)
}

/// Sends the browser on. Nothing on the way may keep it, and the next page does not learn where it came from.
fn reply(answer: Result<Begun, Rejection>, request: &Parts) -> Response {
    let answer = answer.and_then(|begun| {
        let location =
            HeaderValue::try_from(begun.location).map_err(|_| Rejection::from(LoginError::Untrusted))?;
        Ok((location, begun.cookies))
    });
    let (location, cookies) = match answer {
        Ok(answer) => answer,
        Err(rejection) => {
            return refusal(rejection, request);
        }
    };
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}
