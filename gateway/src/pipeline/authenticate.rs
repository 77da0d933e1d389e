//! Who asks, and where they stand. A token that does not hold is refused; it never turns somebody into a guest.

use std::sync::Arc;
use std::time::Duration;

use auth::{ShopContext, TokenError, TokenVerifier, Viewer};
use axum::http::{HeaderMap, StatusCode, header};
use common::id::SessionId;
use common::{Clock, Timestamp};
use futures::FutureExt as _;
use futures::future::{BoxFuture, pending, select};
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::config::{ContextDefaults, Cors};
use crate::ended::Ended;
use crate::http::csrf;
use crate::login::{LoginError, Logins, Vouched};
use crate::rejection::{Code, Rejection};

/// Tokens whose signature has been checked lately.
const REMEMBERED_TOKENS: usize = 10_000;
/// How long a token of the identity provider is remembered: its key may be taken away, its bearer's roles may change.
const RECHECK: Duration = Duration::from_secs(30);

/// Checks tokens and reads the headers that say where a request stands.
pub(crate) struct Authenticator {
    verifier: TokenVerifier,
    clock: Clock,
    defaults: ContextDefaults,
    /// Checking a signature takes longer than all else that is done before planning, and a page sends the same token
    /// with every request. The key is the token in full.
    verified: Cache<Box<str>, Verified>,
    guest: Arc<Viewer>,
    /// Sessions that ended before their tokens.
    ended: Arc<Ended>,
    /// Log-ins through an identity provider, where there is one.
    logins: Option<Arc<Logins>>,
    /// The foreign pages whose requests count with the cookie of a session.
    pages: Cors,
}

/// A token that was found good.
#[derive(Clone)]
struct Verified {
    viewer: Arc<Viewer>,
    holds: Holds,
    /// When it is looked at again.
    again: Timestamp,
}

/// How long a token holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holds {
    /// What it ends with beside its session: all sessions of one subject of the identity provider.
    subject: Option<SessionId>,
    issued: Timestamp,
    expires: Timestamp,
}

/// A viewer, and how long their token holds.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) viewer: Arc<Viewer>,
    holds: Option<Holds>,
}

impl Authenticator {
    pub(crate) fn new(
        verifier: TokenVerifier,
        clock: Clock,
        defaults: ContextDefaults,
        ended: Arc<Ended>,
    ) -> Self {
        let guest = Arc::new(Viewer { context: defaults.fallback.clone(), ..Viewer::anonymous() });
        let verified = Cache::new(REMEMBERED_TOKENS);
        Self { verifier, clock, defaults, verified, guest, ended, logins: None, pages: Cors::Any }
    }

    /// The same beside an identity provider, whose access tokens and sessions count too.
    pub(crate) fn beside(self, logins: Option<Arc<Logins>>, pages: Cors) -> Self {
        Self { logins, pages, ..self }
    }

    /// The viewer behind a request with these headers. A token says more than a cookie, which a browser sends unasked.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Identity, Rejection> {
        if let Some(token) = bearer(headers)? {
            return self.identify_with(headers, token).await;
        }
        let known = match &self.logins {
            None => None,
            Some(logins) => logins.by_cookie(headers).await,
        };
        match known {
            None => self.identity(headers, self.guest.clone(), None),
            Some(_) if !self.is_from_own_page(headers) => Err(csrf::refused_cookie()),
            Some(session) => {
                let Vouched { viewer, subject, issued, expires } =
                    session.map_err(|error| self.rejection(error))?;
                let viewer = Viewer { context: self.defaults.fallback.clone(), ..viewer };
                self.ended.begun().await;
                let holds = Holds { subject: Some(subject), issued, expires };
                self.identity(headers, Arc::new(viewer), Some(holds))
            }
        }
    }

    /// The viewer of a token that came by whatever way, such as `connection_init`.
    pub(crate) async fn identify_with(
        &self,
        headers: &HeaderMap,
        token: &str,
    ) -> Result<Identity, Rejection> {
        self.ended.begun().await;
        let (viewer, holds) = match (self.verify(token), &self.logins) {
            (Ok(verified), _) => verified,
            (Err(TokenError::Invalid), Some(logins)) => self.verify_foreign(logins, token).await?,
            (Err(error), _) => return Err(Rejection::unauthenticated(error.to_string())),
        };
        self.identity(headers, viewer, Some(holds))
    }

    fn identity(
        &self,
        headers: &HeaderMap,
        viewer: Arc<Viewer>,
        holds: Option<Holds>,
    ) -> Result<Identity, Rejection> {
        let context = self.context(headers)?;
        if let Some(Holds { subject, issued, .. }) = holds {
            let sessions = viewer.session_id().into_iter().chain(subject);
            if sessions.into_iter().any(|session| self.ended.contains(session, issued)) {
                return Err(self.rejection(LoginError::SessionOver));
            }
        }
        let viewer = if viewer.context == context {
            viewer
        } else {
            Arc::new(Viewer { context, ..Viewer::clone(&viewer) })
        };
        Ok(Identity { viewer, holds })
    }

    /// When the viewer's token ends, for answers that go on for longer.
    pub(crate) fn expiry(&self, identity: &Identity) -> Option<Instant> {
        let left_us = identity.holds?.expires.0.saturating_sub(self.clock.now().0);
        Some(Instant::now() + Duration::from_micros(u64::try_from(left_us).unwrap_or(0)))
    }

    /// Waits until the viewer's session ends before their token does, likewise.
    pub(crate) fn ended(&self, identity: &Identity) -> BoxFuture<'static, ()> {
        let (Some(session), Some(holds)) = (identity.viewer.session_id(), identity.holds) else {
            return pending().boxed();
        };
        let until = |session| self.ended.clone().until(session, holds.issued);
        match holds.subject {
            None => until(session).boxed(),
            Some(subject) => select(until(session).boxed(), until(subject).boxed()).map(drop).boxed(),
        }
    }

    /// The viewer of a token of our own, in the default context, and how long it holds; also that of a token of the
    /// identity provider which was looked at a moment ago.
    pub(crate) fn verify(&self, token: &str) -> Result<(Arc<Viewer>, Holds), TokenError> {
        if let Some(verified) = self.verified.get(token)
            && self.clock.now() < verified.again
        {
            return Ok((verified.viewer, verified.holds));
        }
        let (viewer, expires) = self.verifier.verify(token, self.defaults.fallback.clone())?;
        // A session of our own that has ended never comes again, so it does not matter when the token was issued.
        let holds = Holds { subject: None, issued: Timestamp(0), expires };
        Ok((self.remember(token, viewer, holds, expires), holds))
    }

    /// The viewer of a token of the identity provider.
    async fn verify_foreign(&self, logins: &Logins, token: &str) -> Result<(Arc<Viewer>, Holds), Rejection> {
        let found = logins.bearer(token, &self.defaults.fallback).await;
        let Vouched { viewer, subject, issued, expires } = found.map_err(|error| self.rejection(error))?;
        let holds = Holds { subject: Some(subject), issued, expires };
        let again = self.clock.now().plus(RECHECK).min(expires);
        Ok((self.remember(token, viewer, holds, again), holds))
    }

    fn remember(&self, token: &str, viewer: Viewer, holds: Holds, again: Timestamp) -> Arc<Viewer> {
        let viewer = Arc::new(viewer);
        self.verified.insert(token.into(), Verified { viewer: viewer.clone(), holds, again });
        viewer
    }

    /// A session that is over takes its cookie along, so that the browser goes on as a guest.
    fn rejection(&self, error: LoginError) -> Rejection {
        let over = error == LoginError::SessionOver;
        let rejection = Rejection::from(error);
        match &self.logins {
            Some(logins) if over => {
                let cookies = logins.cookies();
                rejection.with_header(header::SET_COOKIE, cookies.remove(&cookies.session()))
            }
            _ => rejection,
        }
    }

    /// The cookie of a session counts only for pages of this site and those that are named as allowed: a browser sends
    /// it along whoever has made it send.
    fn is_from_own_page(&self, headers: &HeaderMap) -> bool {
        let own = |origin: &str| self.logins.as_ref().is_some_and(|logins| logins.is_own_origin(origin));
        csrf::is_from_page(headers, |origin| own(origin) || self.pages.names(origin))
    }

    /// Channel, currency, country and language. A channel brings its currency and country along.
    fn context(&self, headers: &HeaderMap) -> Result<ShopContext, Rejection> {
        let mut context = self.defaults.fallback.clone();
        if let Some(code) = single(headers, "x-channel")? {
            match self.defaults.channels.iter().find(|channel| channel.code == code) {
                Some(channel) => {
                    context.currency = channel.currency;
                    context.country.clone_from(&channel.country);
                }
                None if self.defaults.channels.is_empty() && is_code(code) => {}
                None => return Err(bad_header("x-channel", "a channel of this shop")),
            }
            context.channel = code.to_owned();
        }
        if let Some(text) = single(headers, "x-currency")? {
            context.currency =
                text.parse().map_err(|_| bad_header("x-currency", "an ISO 4217 code such as EUR"))?;
        }
        if let Some(text) = single(headers, "x-country")? {
            let is_country = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            if !is_country {
                return Err(bad_header("x-country", "an ISO 3166-1 alpha-2 code such as DE"));
            }
            context.country = text.to_owned();
        }
        if let Some(locale) = self.locale(headers) {
            context.locale = locale;
        }
        Ok(context)
    }

    /// The language that the client likes best and the shop has. Anything else in the header is passed over.
    fn locale(&self, headers: &HeaderMap) -> Option<String> {
        let text = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut wanted: Vec<(f32, &str)> = text
            .split(',')
            .filter_map(|range| {
                let (tag, parameter) = range.split_once(';').unwrap_or((range, ""));
                let weight =
                    parameter.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse().ok())?;
                (is_language(tag.trim()) && weight > 0.0).then_some((weight, tag.trim()))
            })
            .collect();
        wanted.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        wanted.into_iter().find_map(|(_, tag)| self.known_locale(tag))
    }

    fn known_locale(&self, tag: &str) -> Option<String> {
        if self.defaults.locales.is_empty() {
            return Some(tag.to_owned());
        }
        let language = tag.split('-').next().unwrap_or(tag);
        let known = |wanted: &str| self.defaults.locales.iter().find(|one| one.eq_ignore_ascii_case(wanted));
        known(tag).or_else(|| known(language)).cloned()
    }
}

/// The bearer token; `None` without the header. Two headers, or another scheme, are refused.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::unauthenticated("There must be one Authorization header only."));
    }
    let text =
        value.to_str().map_err(|_| Rejection::unauthenticated("The Authorization header is not text."))?;
    parse_bearer(text).map(Some)
}

/// The token in `Bearer …` (RFC 6750, section 2.1).
pub(crate) fn parse_bearer(text: &str) -> Result<&str, Rejection> {
    let refused = || Rejection::unauthenticated("Authorization must be of the form 'Bearer <token>'.");
    let (scheme, token) = text.split_once(' ').ok_or_else(refused)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(refused()) }
}

fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| bad_header(name, "plain text")),
        (Some(_), Some(_)) => Err(bad_header(name, "sent once")),
    }
}

fn bad_header(name: &str, what: &str) -> Rejection {
    Rejection::http(StatusCode::BAD_REQUEST, Code::BadUserInput, format!("The header {name} must be {what}."))
}

fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_language(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    use auth::{SigningKey, TokenIssuer};
    use axum::http::{HeaderName, HeaderValue};
    use common::{Currency, Ids};

    use crate::config::Channel;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn authenticator(defaults: ContextDefaults) -> (Authenticator, TokenIssuer, Clock) {
        let clock = Clock::manual(Timestamp(1_800_000_000_000_000));
        let key = SigningKey::generate();
        let verifier = TokenVerifier::new(&key.verifying(), clock.clone());
        let ended = Ended::new(clock.clone(), None, None);
        (
            Authenticator::new(verifier, clock.clone(), defaults, ended),
            TokenIssuer::new(&key, clock.clone()),
            clock,
        )
    }

    fn token(issuer: &TokenIssuer) -> String {
        let ids = Ids::counted();
        issuer.issue(ids.next(), ids.next(), &["orders:read".into()], Duration::from_secs(60)).unwrap().0
    }

    #[tokio::test]
    async fn a_token_makes_a_user_until_it_ends() {
        let (authenticator, issuer, clock) = authenticator(ContextDefaults::default());
        let with = headers(&[("authorization", &format!("bearer {}", token(&issuer)))]);
        for _ in 0..2 {
            let identity = authenticator.identify(&with).await.unwrap();
            assert!(identity.viewer.user_id().is_some() && identity.viewer.has_scope("orders:read"));
        }
        clock.advance(Duration::from_secs(91));
        let refused = authenticator.identify(&with).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code()), (401, "UNAUTHENTICATED"));
        assert_eq!(refused.headers[0].1, "Bearer error=\"invalid_token\"");
    }

    #[tokio::test]
    async fn whoever_shows_something_else_is_refused_and_never_a_guest() {
        let (authenticator, issuer, _) = authenticator(ContextDefaults::default());
        let good = format!("Bearer {}", token(&issuer));
        let forged = format!("Bearer {}", token(&TokenIssuer::new(&SigningKey::generate(), Clock::system())));
        for authorization in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Basic dXNlcjpwYXNz",
            &good[7..],
            &forged,
            &format!("{good}x"),
        ] {
            let refused =
                authenticator.identify(&headers(&[("authorization", authorization)])).await.unwrap_err();
            assert_eq!(refused.status, 401, "{authorization}");
        }
        let twice = headers(&[("authorization", &good), ("authorization", &good)]);
        assert_eq!(authenticator.identify(&twice).await.unwrap_err().status, 401);
        assert_eq!(authenticator.identify(&HeaderMap::new()).await.unwrap().viewer.user_id(), None);
    }

    #[tokio::test]
    async fn context_is_read_from_headers_and_defaults() {
        let channel = |code: &str, currency, country: &str| Channel {
            code: code.into(),
            currency,
            country: country.into(),
        };
        let defaults = ContextDefaults {
            fallback: ShopContext::default(),
            channels: vec![channel("us", Currency::USD, "US"), channel("eu", Currency::EUR, "DE")],
            locales: vec!["en".into(), "de".into(), "ar".into()],
        };
        let (authenticator, ..) = authenticator(defaults);
        for (pairs, expected) in [
            (vec![], "us USD US en"),
            (vec![("x-channel", "eu")], "eu EUR DE en"),
            (vec![("x-channel", "eu"), ("x-currency", "JPY"), ("x-country", "FR")], "eu JPY FR en"),
            (vec![("accept-language", "fr-CH, fr;q=0.9, de-AT;q=0.7, en;q=0.8")], "us USD US en"),
            (vec![("accept-language", "de-AT,en;q=0.1")], "us USD US de"),
            (vec![("accept-language", "<script>, *")], "us USD US en"),
        ] {
            let context = &authenticator.identify(&headers(&pairs)).await.unwrap().viewer.context;
            let seen =
                format!("{} {} {} {}", context.channel, context.currency, context.country, context.locale);
            assert_eq!(seen, expected, "{pairs:?}");
        }
        for pair in
            [("x-channel", "mars"), ("x-currency", "EURO"), ("x-country", "Germany"), ("x-country", "de")]
        {
            let refused = authenticator.identify(&headers(&[pair])).await.unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.code()), (400, "BAD_USER_INPUT"), "{pair:?}");
        }
    }
}
