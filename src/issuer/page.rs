//! The pages that people see. They hold no script and nothing from elsewhere, and nobody may keep or frame them.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}\
main{max-width:22rem;margin:12vh auto;padding:0 1rem}label{display:block;margin:1rem 0}\
input{display:block;box-sizing:border-box;width:100%;padding:.5rem;font:inherit;border:1px solid #767676}\
button{padding:.5rem 1.5rem;font:inherit}a,button,input{outline-offset:2px}[role=alert]{color:#b00020}";

/// The style is named by its digest, so that no other one gets in.
static STYLE_DIGEST: LazyLock<String> = LazyLock::new(|| BASE64.encode(&Sha256::digest(STYLE.as_bytes())));

/// Why the log-in page comes again.
pub(super) enum Notice<'a> {
    /// The text is for the person.
    Refused(&'a str),
    /// The accounts are away.
    Unavailable,
}

/// The log-in page. Its form goes back to the address of the page, with all that the client has asked for.
pub(super) fn log_in(query: &str, email: &str, notice: Option<Notice<'_>>, form_action: &str) -> Response {
    let (status, text) = match notice {
        None => (StatusCode::OK, None),
        Some(Notice::Refused(reason)) => (StatusCode::FORBIDDEN, Some(reason)),
        Some(Notice::Unavailable) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Some("Logging in is not possible at the moment. Try again in a minute."),
        ),
    };
    let (title, alert, wrong) = match text {
        None => ("Log in", String::new(), ""),
        Some(text) => (
            "Not logged in",
            format!("<p role=\"alert\" id=\"wrong\">{}</p>", escaped(text)),
            " aria-describedby=\"wrong\"",
        ),
    };
    // Whoever comes again has typed an address already.
    let (first, second) = if email.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let body = format!(
        "<h1>Log in</h1>{alert}<form method=\"post\" action=\"/oidc/authorize?{}\">\
<label>E-mail address <input name=\"username\" type=\"email\" autocomplete=\"username\" value=\"{}\" required\
{wrong}{first}></label>\
<label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required\
{wrong}{second}></label>\
<button>Log in</button></form>",
        escaped(query),
        escaped(email)
    );
    page(title, &body, status, form_action)
}

/// A request that is answered to nobody but the person.
pub(super) fn refusal(reason: &str) -> Response {
    let body = format!(
        "<h1>Not possible</h1><p>{}</p><p><a href=\"/auth/login\">Log in to the shop</a></p>",
        escaped(reason)
    );
    page("Not possible", &body, StatusCode::BAD_REQUEST, "'none'")
}

/// After a log-out that leads nowhere.
pub(super) fn logged_out() -> Response {
    let body = "<h1>You are logged out</h1><p><a href=\"/auth/login\">Log in again</a></p>";
    page("Logged out", body, StatusCode::OK, "'none'")
}

/// What a layer before the pages refuses in JSON, for people; its headers say when to come back.
pub(super) async fn instead_of_json(response: Response) -> Response {
    let reason = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => "There were too many tries from here. Come back in a minute.",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong here. Try again in a minute.",
        StatusCode::METHOD_NOT_ALLOWED => "This page cannot be asked in this way.",
        _ => return response,
    };
    let (mut parts, _) = response.into_parts();
    let page = refusal(reason);
    parts.headers.remove(header::CONTENT_LENGTH);
    for (name, value) in page.headers() {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, page.into_body())
}

/// Sends the browser on. Nothing on the way may keep it, and the next page does not learn where it came from.
pub(super) fn redirect(to: &str) -> Response {
    let Ok(to) = HeaderValue::try_from(to) else { return refusal("This address cannot be gone to.") };
    let headers = [
        (header::LOCATION, to),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn page(title: &str, body: &str, status: StatusCode, form_action: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
content=\"width=device-width,initial-scale=1\"><title>{title} – TechPotli</title><style>{STYLE}</style></head>\
<body><main>{body}</main></body></html>"
    );
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_DIGEST
    );
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, fixed, [(header::CONTENT_SECURITY_POLICY, policy)], text).into_response()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
