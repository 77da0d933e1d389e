//! A log-in on its way from the resolver that made it to the gateway, which goes on with the operation as its user.

use async_graphql::{Context, Response, Value};
use auth::SESSION_EXTENSION;
use http::HeaderName;

/// Resolvers can say something beside their data only by headers. This one never leaves the process.
const SESSION: HeaderName = HeaderName::from_static("x-techpotli-session");

/// Tells the gateway that whoever asks has logged in by this access token.
pub fn begin_session(context: &Context<'_>, access_token: &str) {
    context.insert_http_header(SESSION, access_token);
}

/// Puts the log-in where both ways to the gateway carry it.
pub(crate) fn pass_on_session(response: &mut Response) {
    let token = response.http_headers.remove(SESSION);
    if let Some(token) = token.as_ref().and_then(|token| token.to_str().ok()) {
        response.extensions.insert(SESSION_EXTENSION.into(), Value::from(token));
    }
}
