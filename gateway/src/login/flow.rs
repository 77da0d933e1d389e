//! Sending a browser to the provider and taking it back: the code flow with PKCE (RFC 6749, 7636, 9700).

use std::sync::Arc;
use std::time::Duration;

use auth::{ShopContext, Viewer};
use axum::http::{HeaderMap, HeaderValue};
use common::Timestamp;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse};
use openidconnect::url::Url;
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    ErrorResponse, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse as _,
};
use secrecy::ExposeSecret as _;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::pending::{PATIENCE, Pending};
use super::provider::{Discovered, is_private_to_us};
use super::sessions::{Session, Turn};
use super::ticket::Ticket;
use super::transport::TransportError;
use super::{Granted, LoginConfigError, LoginError, Logins, Vouched, cookie, id_token};
use crate::ended::Ending;

/// An access token is renewed this long before it ends, so that none ends under way.
const MARGIN: Duration = Duration::from_secs(20);
/// The provider's clock may be so far ahead of ours.
const SKEW: Duration = Duration::from_secs(30);
/// How long a gateway waits for another one that renews a session, and how often it looks.
const OTHERS_TURN: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);
/// Asked for beside `openid`.
const SCOPES: [&str; 2] = ["email", "profile"];
const LONGEST_PATH: usize = 1_024;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Where to send a browser, and which cookies with it.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) location: String,
    pub(crate) cookies: Vec<HeaderValue>,
}

/// With what a browser comes back.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) error: Option<String>,
}

/// What an exchange of a code or of a refresh token has brought, verified.
struct Tokens {
    viewer: Viewer,
    subject: String,
    sid: Option<String>,
    issued: Timestamp,
    expires: Timestamp,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

impl Logins {
    /// Sends a browser to the provider.
    pub(crate) async fn begin(&self, return_to: Option<&str>) -> Result<Begun, LoginError> {
        let return_to = self.own_path(return_to.unwrap_or("/"))?;
        let discovered = self.provider.discovered().await?;
        let pending = Pending::begin(return_to, &self.clock);
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(pending.verifier.clone()));
        let (state, nonce) = (pending.state().to_owned(), pending.nonce.clone());
        let client = self.client(&discovered)?;
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        let cookies = self.cookies();
        let name = cookies.login(pending.state());
        let cookie = cookies.set(&name, &pending.to_cookie()?, Some(PATIENCE.as_secs()));
        Ok(Begun { location: url.into(), cookies: vec![cookie] })
    }

    /// Takes a browser back: it is logged in, or it is not and hears why.
    pub(crate) async fn finish(&self, headers: &HeaderMap, returned: Returned) -> Result<Begun, LoginError> {
        let state = returned.state.ok_or(LoginError::NotBegun)?;
        let cookies = self.cookies();
        let name = cookies.login(&state);
        let pending = Pending::resume(self, cookie::value(headers, &name), &state)?;
        let discovered = self.provider.discovered().await?;
        self.check_issuer(&discovered, returned.iss.as_deref())?;
        if let Some(error) = returned.error {
            // The provider's word for it (RFC 6749, section 4.1.2.1), if it is one.
            let word =
                error.len() <= 64 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            return Err(LoginError::NotLetIn(if word { error } else { "it does not say why".to_owned() }));
        }
        let code = returned.code.ok_or(LoginError::Untrusted)?;
        let client = self.client(&discovered)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| LoginError::Untrusted)?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()));
        let response =
            request.request_async(&self.provider.transport).await.map_err(|error| not_exchanged(&error))?;
        let tokens = self.read(&response, Some(&pending.nonce)).await?;
        let id_token = tokens.id_token.clone().ok_or(LoginError::Untrusted)?;
        let secret = cookie::fresh_secret();
        let session = Session::of(tokens, id_token);
        self.sessions.begin(&Ticket::of(&secret), session, self.clock.now()).await?;
        // Whoever was logged in here before is not any more. Their cookie is gone in any case.
        if let Some(before) = cookie::value(headers, &cookies.session()) {
            self.sessions.end(&Ticket::of(before)).await.ok();
        }
        Ok(Begun {
            location: self.public(&self.own_path(&pending.return_to)?),
            cookies: vec![cookies.remove(&name), cookies.set(&cookies.session(), &secret, None)],
        })
    }

    /// The viewer of a browser with a session; `None` without the cookie.
    pub(crate) async fn by_cookie(
        self: &Arc<Self>,
        headers: &HeaderMap,
    ) -> Option<Result<Vouched, LoginError>> {
        let name = self.cookies().session();
        if !cookie::is_there(headers, &name) {
            return None;
        }
        let Some(secret) = cookie::value(headers, &name) else { return Some(Err(LoginError::SessionOver)) };
        let session = self.current(Ticket::of(secret)).await;
        Some(session.map(|session| Vouched {
            viewer: session.viewer.clone(),
            subject: self.session_of(&session.subject),
            issued: session.issued,
            expires: session.expires,
        }))
    }

    /// Ends the browser's session, here and at the provider. Where it lies beyond reach it goes on, and says so.
    pub(crate) async fn log_out(&self, headers: &HeaderMap) -> Result<Begun, LoginError> {
        let cookies = self.cookies();
        let name = cookies.session();
        let ended = match cookie::value(headers, &name) {
            Some(secret) => self.sessions.end(&Ticket::of(secret)).await?,
            None => None,
        };
        let there = match ended {
            Some(session) => {
                // Other gateways may remember it, and it ends at the provider as well.
                if session.sid.is_some()
                    && let Some(session) = session.viewer.session_id()
                {
                    self.ended.tell(Ending { session, at: self.clock.now().plus(SKEW) }).await;
                }
                self.provider.discovered().await.ok().and_then(|d| self.goodbye(&d, &session))
            }
            None => None,
        };
        let location = there.unwrap_or_else(|| self.public("/"));
        Ok(Begun { location, cookies: vec![cookies.remove(&name)] })
    }

    /// Where the provider ends its own session (OpenID Connect RP-Initiated Logout 1.0).
    fn goodbye(&self, discovered: &Discovered, session: &Session) -> Option<String> {
        let endpoint = discovered.metadata.additional_metadata().end_session_endpoint.clone()?;
        let id_token: CoreIdToken = session.id_token.parse().ok()?;
        let back = PostLogoutRedirectUrl::new(self.public("/")).ok()?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(&id_token)
            .set_client_id(ClientId::new(self.config.client_id.clone()))
            .set_post_logout_redirect_uri(back);
        Some(request.http_get_url().into())
    }

    /// The session as it is now, its access token renewed where it is about to end.
    async fn current(self: &Arc<Self>, ticket: Ticket) -> Result<Arc<Session>, LoginError> {
        let session = self.sessions.find(&ticket).await?.ok_or(LoginError::SessionOver)?;
        if !self.is_ending(&session) {
            return Ok(session);
        }
        // In a task of its own: a browser that goes away in the midst of it must not take the new refresh token along.
        let (tell, told) = oneshot::channel();
        let logins = self.clone();
        self.tasks.spawn("renew a session", async move {
            // Whoever has asked may be gone by now.
            let _ = tell.send(logins.renewed(&ticket).await);
        });
        match told.await {
            // The provider, or where sessions lie, is away: what still holds, holds.
            Ok(Err(LoginError::Unavailable)) if self.clock.now() < session.expires => Ok(session),
            Ok(renewed) => renewed,
            Err(_) => Err(LoginError::Unavailable),
        }
    }

    /// Renews a session once, however many requests of the browser come at the same time, to whichever gateways.
    async fn renewed(&self, ticket: &Ticket) -> Result<Arc<Session>, LoginError> {
        let waits_until = Instant::now() + OTHERS_TURN;
        loop {
            let turn = self.sessions.turn(ticket).await?;
            let session = self.sessions.newest(ticket).await?.ok_or(LoginError::SessionOver)?;
            match turn {
                Some(turn) if self.is_ending(&session) => return self.renew(ticket, turn, session).await,
                Some(turn) => {
                    self.sessions.let_go(ticket, turn).await;
                    return Ok(session);
                }
                // Another gateway is at it, and until then it holds.
                None if self.clock.now() < session.expires => return Ok(session),
                None if Instant::now() < waits_until => tokio::time::sleep(LOOK).await,
                None => return Err(LoginError::Unavailable),
            }
        }
    }

    async fn renew(
        &self,
        ticket: &Ticket,
        turn: Turn<'_>,
        session: Arc<Session>,
    ) -> Result<Arc<Session>, LoginError> {
        match self.refresh(&session).await {
            Ok(renewed) => {
                let renewed = Arc::new(renewed);
                match self.sessions.renew(ticket, turn, &renewed, self.clock.now()).await? {
                    true => Ok(renewed),
                    false => Err(LoginError::SessionOver),
                }
            }
            Err(LoginError::Unavailable) => {
                self.sessions.let_go(ticket, turn).await;
                Err(LoginError::Unavailable)
            }
            Err(error) => {
                tracing::debug!(reason = %error, "a session is not renewed and ends");
                self.sessions.end(ticket).await?;
                Err(LoginError::SessionOver)
            }
        }
    }

    fn is_ending(&self, session: &Session) -> bool {
        self.clock.now().plus(MARGIN) >= session.expires
    }

    async fn refresh(&self, session: &Session) -> Result<Session, LoginError> {
        if session.is_idle(self.clock.now()) {
            return Err(LoginError::SessionOver);
        }
        let token = session.refresh_token.clone().ok_or(LoginError::SessionOver)?;
        let discovered = self.provider.discovered().await?;
        let token = RefreshToken::new(token);
        let client = self.client(&discovered)?;
        let request = client.exchange_refresh_token(&token).map_err(|_| LoginError::Untrusted)?;
        let response =
            request.request_async(&self.provider.transport).await.map_err(|error| not_exchanged(&error))?;
        let mut tokens = self.read(&response, None).await?;
        if tokens.subject != session.subject {
            return Err(LoginError::Untrusted);
        }
        // A provider that does not rotate sends none.
        tokens.refresh_token = tokens.refresh_token.or_else(|| session.refresh_token.clone());
        let id_token = tokens.id_token.take().unwrap_or_else(|| session.id_token.clone());
        Ok(Session::of(tokens, id_token))
    }

    /// Verifies what the provider has sent: both tokens, and that they are about the same person.
    async fn read(&self, response: &CoreTokenResponse, nonce: Option<&str>) -> Result<Tokens, LoginError> {
        let text = response.access_token().secret();
        let granted = self.granted(text, &ShopContext::default()).await.map_err(|error| match error {
            error @ (LoginError::Unavailable | LoginError::Refused(_)) => error,
            _ => LoginError::Untrusted,
        })?;
        let Granted { viewer, subject, sid, issued, expires } = granted;
        if let Some(id_token) = response.id_token()
            && id_token::verify(self, id_token, nonce, response.access_token()).await? != subject
        {
            return Err(LoginError::Untrusted);
        }
        Ok(Tokens {
            viewer,
            subject,
            sid,
            issued,
            expires,
            refresh_token: response.refresh_token().map(|token| token.secret().clone()),
            id_token: response.id_token().map(ToString::to_string),
        })
    }

    /// The answer to the browser must come from whom it was sent to (RFC 9207).
    fn check_issuer(&self, discovered: &Discovered, named: Option<&str>) -> Result<(), LoginError> {
        match named {
            Some(issuer) if issuer == self.provider.issuer().as_str() => Ok(()),
            None if !discovered.names_issuer => Ok(()),
            _ => Err(LoginError::Untrusted),
        }
    }

    fn client(&self, discovered: &Discovered) -> Result<Client, LoginError> {
        let id = ClientId::new(self.config.client_id.clone());
        let secret = self
            .config
            .client_secret
            .as_ref()
            .map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let back = RedirectUrl::new(self.public("/auth/callback")).map_err(|_| LoginError::Unavailable)?;
        Ok(CoreClient::from_provider_metadata(discovered.metadata.clone(), id, secret).set_redirect_uri(back))
    }

    /// A path of this site, as it must be written so that no browser takes it for another's.
    fn own_path(&self, path: &str) -> Result<String, LoginError> {
        own_path(&self.config.public_url, path).ok_or(LoginError::ForeignReturn)
    }
}

impl Session {
    fn of(tokens: Tokens, id_token: String) -> Self {
        let Tokens { viewer, subject, sid, issued, expires, refresh_token, .. } = tokens;
        Self { viewer, subject, sid, issued, expires, refresh_token, id_token }
    }
}

fn not_exchanged<E: ErrorResponse>(error: &RequestTokenError<TransportError, E>) -> LoginError {
    match error {
        RequestTokenError::Request(reason) => {
            tracing::warn!(%reason, "the identity provider does not answer");
            LoginError::Unavailable
        }
        RequestTokenError::ServerResponse(reason) => {
            tracing::debug!(?reason, "the identity provider does not exchange");
            LoginError::Untrusted
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            tracing::warn!("the identity provider's answer cannot be read");
            LoginError::Unavailable
        }
    }
}

fn own_path(base: &str, path: &str) -> Option<String> {
    let is_plain = path.len() <= LONGEST_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control);
    let base = Url::parse(base).ok()?;
    let joined = base.join(path).ok().filter(|_| is_plain)?;
    // Dots are resolved by now, and what they lead to is looked at again.
    let resolved = &joined[openidconnect::url::Position::BeforePath..];
    (joined.origin() == base.origin() && !resolved.starts_with("//")).then(|| resolved.to_owned())
}

/// Scheme, host and port alone.
pub(super) fn base_url(text: &str) -> Result<String, LoginConfigError> {
    let refused = || LoginConfigError::PublicUrl(text.to_owned());
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !is_bare || !is_private_to_us(&url) {
        return Err(refused());
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_returned_to() {
        let own = |path| own_path("https://shop.example", path);
        for (path, expected) in [
            ("/", "/"),
            ("/cart?step=2#pay", "/cart?step=2#pay"),
            ("/a/../b", "/b"),
            ("/ü", "/%C3%BC"),
            ("/x?next=https://evil.example", "/x?next=https://evil.example"),
        ] {
            assert_eq!(own(path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "",
            "cart",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n//evil.example",
            "javascript:alert(1)",
            "https:evil.example",
            "@evil.example",
        ] {
            assert_eq!(own(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_public_url_is_bare_and_safe_for_cookies() {
        for (text, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            ("http://127.0.0.1:4000/", "http://127.0.0.1:4000"),
            ("http://localhost:4000", "http://localhost:4000"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(expected));
        }
        for text in [
            "",
            "shop.example",
            "http://shop.example",
            "https://shop.example/de",
            "https://a@b.example",
            "ftp://x",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }
}
