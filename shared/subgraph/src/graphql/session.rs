//! What resolvers say beside their data: a log-in, which the gateway goes on with as its user, and notes for the client.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Context, Name, Response, Value};
use auth::SESSION_EXTENSION;
use http::HeaderName;

/// Resolvers can say something beside their data only by headers. This one never leaves the process.
const SESSION: HeaderName = HeaderName::from_static("x-techpotli-session");

/// Notes, each as `name=JSON`. Like the log-in they never leave the process as headers.
const NOTE: HeaderName = HeaderName::from_static("x-techpotli-note");

/// The member of `extensions` whose own members the gateway hands to the client as its `extensions`.
const CLIENT_EXTENSION: &str = "client";

/// Tells the client something beside the data: `extensions.NAME` of the whole response.
pub fn note(context: &Context<'_>, name: &str, value: &Value) {
    // What is made of maps and scalars can be written as JSON.
    if let Ok(json) = serde_json::to_string(value) {
        context.append_http_header(NOTE, format!("{name}={json}"));
    }
}

/// Tells the gateway that whoever asks has logged in by this access token.
pub fn begin_session(context: &Context<'_>, access_token: &str) {
    context.insert_http_header(SESSION, access_token);
}

/// Puts notes where both ways to the gateway carry them.
pub(crate) fn pass_on_notes(response: &mut Response) {
    if !response.http_headers.contains_key(NOTE) {
        return;
    }
    let mut notes = IndexMap::new();
    for note in response.http_headers.get_all(NOTE) {
        let said = note.to_str().ok().and_then(|note| note.split_once('='));
        if let Some((name, Ok(value))) = said.map(|(name, json)| (name, serde_json::from_str(json))) {
            notes.insert(Name::new(name), value);
        }
    }
    response.http_headers.remove(NOTE);
    response.extensions.insert(CLIENT_EXTENSION.into(), Value::Object(notes));
}

/// Puts the log-in where both ways to the gateway carry it.
pub(crate) fn pass_on_session(response: &mut Response) {
    let token = response.http_headers.remove(SESSION);
    if let Some(token) = token.as_ref().and_then(|token| token.to_str().ok()) {
        response.extensions.insert(SESSION_EXTENSION.into(), Value::from(token));
    }
}
