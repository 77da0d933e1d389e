//! The authorization endpoint (OpenID Connect Core, section 3.1.2): a log-in page, and a code for the right password.

use axum::extract::{Request, State};
use axum::response::Response;
use events::calls::users::{IssuedSession, LogIn, LoggedIn};

use super::clients::Client;
use super::codes::Grant;
use super::form::Form;
use super::page::{self, Notice};
use super::{CALLER, Issuer, log};

/// Of PKCE with S256: 32 bytes in base64url (RFC 7636, section 4.2).
const CHALLENGE: usize = 43;

/// What a client asks for.
struct Wanted<'a> {
    client: &'a Client,
    state: Option<String>,
    nonce: Option<String>,
    challenge: String,
}

/// Why a request is not answered with a log-in page.
enum Refusal<'a> {
    /// It cannot be said to the client, since nobody knows whether it is one: the text is for the person.
    Page(&'static str),
    /// It is said to the client.
    Client { client: &'a Client, state: Option<String>, error: &'static str },
}

/// `GET /authorize`.
pub(super) async fn page(State(issuer): State<Issuer>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    match issuer.wanted(query) {
        Ok(wanted) => page::log_in(query, "", None, wanted.client.form_action),
        Err(refusal) => issuer.refuse(refusal),
    }
}

/// `POST /authorize`: the form of the page. What the client wants is in the query, as before.
pub(super) async fn log_in(State(issuer): State<Issuer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let wanted = match issuer.wanted(query) {
        Ok(wanted) => wanted,
        Err(refusal) => return issuer.refuse(refusal),
    };
    let Some(form) = Form::of_body(body).await else { return page::refusal("The form cannot be read.") };
    let [email, password] = ["username", "password"].map(|name| form.get(name).unwrap_or_default());
    let again = |notice| page::log_in(query, email, Some(notice), wanted.client.form_action);
    let asked = LogIn { email: email.to_owned(), password: password.to_owned() };
    match issuer.0.peers.ask(CALLER, &asked).await {
        Ok(LoggedIn::Session(session)) => issuer.answer(
            wanted.client,
            wanted.state.as_deref(),
            match issuer.code(&wanted, *session) {
                Some(code) => ("code", code),
                None => ("error", "server_error".to_owned()),
            },
        ),
        Ok(LoggedIn::Refused(reason)) => again(Notice::Refused(&reason)),
        Err(fault) => {
            log(&fault);
            again(Notice::Unavailable)
        }
    }
}

impl Issuer {
    fn code(&self, wanted: &Wanted<'_>, session: IssuedSession) -> Option<String> {
        self.0.codes.seal(&Grant {
            client: wanted.client.id.to_owned(),
            redirect_uri: wanted.client.redirect_uri.clone(),
            challenge: wanted.challenge.clone(),
            nonce: wanted.nonce.clone(),
            user: session.user,
            session: session.session,
            refresh_token: session.refresh_token,
            granted: self.0.clock.now(),
        })
    }

    /// What a client asks for, if it may.
    fn wanted(&self, query: &str) -> Result<Wanted<'_>, Refusal<'_>> {
        let form = Form::of_query(query).ok_or(Refusal::Page("The address of this page is too long."))?;
        let Some(client) = form.get("client_id") else {
            return Err(Refusal::Page("Nobody has asked you to log in."));
        };
        let client = self.0.clients.find(client).ok_or(Refusal::Page("Nobody here knows this client."))?;
        if form.get("redirect_uri") != Some(&*client.redirect_uri) {
            return Err(Refusal::Page("The client may not have you sent back to this address."));
        }
        let of = |name| form.get(name).map(str::to_owned);
        let state = of("state");
        let challenge = of("code_challenge").filter(|text| {
            form.get("code_challenge_method") == Some("S256")
                && text.len() == CHALLENGE
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        match (error(&form), challenge) {
            (None, Some(challenge)) => Ok(Wanted { client, state, nonce: of("nonce"), challenge }),
            (error, _) => Err(Refusal::Client { client, state, error: error.unwrap_or("invalid_request") }),
        }
    }

    fn refuse(&self, refusal: Refusal<'_>) -> Response {
        match refusal {
            Refusal::Page(reason) => page::refusal(reason),
            Refusal::Client { client, state, error } => {
                self.answer(client, state.as_deref(), ("error", error.to_owned()))
            }
        }
    }

    /// Sends the browser back to the client, saying who says so (RFC 9207).
    fn answer(&self, client: &Client, state: Option<&str>, said: (&str, String)) -> Response {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(said.0, &said.1).append_pair("iss", self.url());
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        page::redirect(&format!("{}?{}", client.redirect_uri, query.finish()))
    }
}

/// What is wrong with a request of a client that is known, its challenge aside.
fn error(form: &Form) -> Option<&'static str> {
    let names = |name: &str, wanted: &str| {
        form.get(name).is_some_and(|list| list.split(' ').any(|one| one == wanted))
    };
    match form.get("response_type") {
        _ if form.is_ambiguous() => Some("invalid_request"),
        _ if form.get("request").is_some() => Some("request_not_supported"),
        _ if form.get("request_uri").is_some() => Some("request_uri_not_supported"),
        None => Some("invalid_request"),
        Some("code") if form.get("response_mode").is_some_and(|mode| mode != "query") => {
            Some("invalid_request")
        }
        Some("code") if !names("scope", "openid") => Some("invalid_scope"),
        // Nobody stays logged in here: each client's log-in is one of its own.
        Some("code") if names("prompt", "none") => Some("login_required"),
        Some("code") => None,
        Some(_) => Some("unsupported_response_type"),
    }
}
