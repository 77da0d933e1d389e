//! The token endpoint (RFC 6749, section 3.2): codes and refresh tokens against tokens.

use auth::access_token_hash;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use events::calls::users::{IssuedSession, LoggedIn, RefreshLogIn};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::clients::Client;
use super::form::Form;
use super::{CALLER, Issuer, log};

/// An error of the protocol (section 5.2).
struct Refusal(StatusCode, &'static str);

const INVALID_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_request");
const INVALID_GRANT: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_grant");
const INVALID_CLIENT: Refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid_client");
const UNAVAILABLE: Refusal = Refusal(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");

/// `POST /token`.
pub(super) async fn exchange(State(issuer): State<Issuer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match Form::of_body(body).await {
        Some(form) if !form.is_ambiguous() => issuer.exchange(&parts.headers, &form).await,
        _ => Err(INVALID_REQUEST),
    };
    let mut response = match answer {
        Ok(tokens) => Json(tokens).into_response(),
        Err(Refusal(status, error)) => (status, Json(json!({ "error": error }))).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"techpotli\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

impl Issuer {
    async fn exchange(&self, headers: &HeaderMap, form: &Form) -> Result<Value, Refusal> {
        let client = self.client(headers, form)?;
        match form.get("grant_type") {
            Some("authorization_code") => self.with_code(client, form).await,
            Some("refresh_token") => {
                let bound = form.get("refresh_token").ok_or(INVALID_REQUEST)?;
                let token = self.unbound(client, bound).ok_or(INVALID_GRANT)?;
                let session = self.refreshed(token.to_owned()).await?;
                self.tokens(client, &session, None)
            }
            Some(_) => Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
            None => Err(INVALID_REQUEST),
        }
    }

    /// Who asks: by the header or by the form, not by both (section 2.3).
    fn client(&self, headers: &HeaderMap, form: &Form) -> Result<&Client, Refusal> {
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        let header = basic(headers);
        let (id, secret) = match &header {
            None if headers.contains_key(header::AUTHORIZATION) => return Err(INVALID_CLIENT),
            None => (id.ok_or(INVALID_CLIENT)?, secret),
            Some(_) if secret.is_some() => return Err(INVALID_REQUEST),
            Some((named, _)) if id.is_some_and(|id| id != named) => return Err(INVALID_REQUEST),
            Some((named, secret)) => (&**named, Some(&**secret)),
        };
        let client = self.0.clients.find(id).ok_or(INVALID_CLIENT)?;
        if client.is_secret(secret) { Ok(client) } else { Err(INVALID_CLIENT) }
    }

    async fn with_code(&self, client: &Client, form: &Form) -> Result<Value, Refusal> {
        let code = form.get("code").ok_or(INVALID_REQUEST)?;
        let redirect_uri = form.get("redirect_uri").ok_or(INVALID_REQUEST)?;
        let verifier = form.get("code_verifier").unwrap_or_default();
        let grant = self.0.codes.open(code).ok_or(INVALID_GRANT)?;
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()));
        let fits: bool = challenge.as_bytes().ct_eq(grant.challenge.as_bytes()).into();
        if !fits || grant.client != client.id || grant.redirect_uri != redirect_uri {
            // Somebody else has the code: what it stood for ends.
            tracing::warn!(session.id = %grant.session, "a code was brought by somebody else: its session is ended");
            self.end(grant.user, grant.session).await;
            return Err(INVALID_GRANT);
        }
        let session = self.refreshed(grant.refresh_token).await?;
        self.tokens(client, &session, grant.nonce.as_deref())
    }

    /// The session of a refresh token, which is used from now on.
    async fn refreshed(&self, refresh_token: String) -> Result<IssuedSession, Refusal> {
        match self.0.peers.ask(CALLER, &RefreshLogIn { refresh_token }).await {
            Ok(LoggedIn::Session(session)) => Ok(*session),
            Ok(LoggedIn::Refused(_)) => Err(INVALID_GRANT),
            Err(fault) => {
                log(&fault);
                Err(UNAVAILABLE)
            }
        }
    }

    fn tokens(
        &self,
        client: &Client,
        session: &IssuedSession,
        nonce: Option<&str>,
    ) -> Result<Value, Refusal> {
        let mut claims = json!({
            "sub": session.user.to_string(),
            "sid": session.session.to_string(),
            "at_hash": access_token_hash(&session.access_token),
            "email": session.email,
            "email_verified": session.email_verified,
            "locale": session.locale,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let id_token = self.0.signer.id_token(client.id, claims).map_err(|_| UNAVAILABLE)?;
        Ok(json!({
            "access_token": session.access_token,
            "token_type": "Bearer",
            "expires_in": session.expires_at.seconds() - self.0.clock.now().seconds(),
            "refresh_token": self.bound(client, &session.refresh_token),
            "id_token": id_token,
            "scope": "openid email profile",
        }))
    }

    /// A refresh token as the client gets it: no other client can bring it here, though `users` knows no clients.
    fn bound(&self, client: &Client, token: &str) -> String {
        format!("{token}.{}", self.binding(client, token))
    }

    /// The token that was made for this client.
    fn unbound<'a>(&self, client: &Client, bound: &'a str) -> Option<&'a str> {
        let (token, binding) = bound.rsplit_once('.')?;
        let fits: bool = self.binding(client, token).as_bytes().ct_eq(binding.as_bytes()).into();
        fits.then_some(token)
    }

    fn binding(&self, client: &Client, token: &str) -> String {
        let subject = format!("{} {token}", client.id);
        BASE64URL_NOPAD.encode(&self.0.key.secret_for("oidc refresh token", subject.as_bytes()))
    }
}

/// Id and secret in `Authorization: Basic …`, each form-encoded (section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(credentials.trim().as_bytes()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    Some((plain(id), plain(secret)))
}
