//! The end of a session (OpenID Connect RP-Initiated Logout 1.0).

use axum::extract::{Request, State};
use axum::response::Response;

use super::form::Form;
use super::{Issuer, page};

/// `GET` or `POST /logout`. Only the ID token of a session ends it: whoever has that is the client or its user.
pub(super) async fn log_out(State(issuer): State<Issuer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = match Form::of_query(parts.uri.query().unwrap_or_default()) {
        Some(form) if form.get("id_token_hint").is_some() => Some(form),
        _ => Form::of_body(body).await,
    };
    let Some(form) = form else { return page::refusal("The form cannot be read.") };
    let hint = form.get("id_token_hint").and_then(|hint| issuer.0.signer.read_hint(hint));
    let Some(hint) = hint else { return page::logged_out() };
    let Some(client) = issuer.0.clients.find(&hint.aud) else { return page::logged_out() };
    issuer.end(hint.sub, hint.sid).await;
    match (form.get("post_logout_redirect_uri"), form.get("state")) {
        (Some(to), None) if to == client.after_logout => page::redirect(to),
        (Some(to), Some(state)) if to == client.after_logout => {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
            page::redirect(&format!("{to}?{query}"))
        }
        _ => page::logged_out(),
    }
}
