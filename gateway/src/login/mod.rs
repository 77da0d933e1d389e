//! Log-in through an identity provider (OpenID Connect): browsers by code with PKCE and a cookie, other clients by the
//! provider's own access tokens.
//!
//! - `transport`: how the provider is reached, and its discovery document
//! - `keys`: the provider's signing keys
//! - `access_token`, `id_token`: what its tokens must be
//! - `flow`: sending a browser there and taking it back
//! - `back_channel`: what the provider says by itself
//! - `sessions`, `ticket`: who is logged in by cookie; the tokens stay here, or sealed in a Redis that gateways share
//! - `pending`: a log-in under way, which lies in the browser that began it
//!
//! Whose account a subject of the provider is, the gateway does not know: [`Accounts`] is handed in. A provider of ours
//! hands out the tokens that the gateway accepts anyway, which name accounts and sessions of ours ([`Logins::own`]).

mod access_token;
mod back_channel;
mod cookie;
mod flow;
mod id_token;
mod keys;
mod pending;
mod provider;
mod sessions;
mod ticket;
mod token;
mod transport;

use std::sync::Arc;

use auth::{Actor, ShopContext, TokenError, TokenVerifier, Viewer};
use cache::Remote;
use common::id::{SessionId, UserId};
use common::{Clock, Timestamp};
use futures::future::BoxFuture;
use runtime::Tasks;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

pub(crate) use cookie::Cookies;
pub(crate) use flow::{Begun, Returned};
pub use transport::Transport;

use crate::ended::Ended;
use keys::SigningKeys;
use provider::Provider;
use sessions::Sessions;

/// The identity provider, and who the gateway is to it.
#[derive(Debug, Clone)]
pub struct LoginConfig {
    /// The provider's issuer identifier. Its discovery document is below it.
    pub issuer: String,
    /// Where browsers find this gateway: scheme, host and port. Its `/auth/callback` must be registered there.
    pub public_url: String,
    /// The gateway's client.
    pub client_id: String,
    /// The client's secret; none for a public client.
    pub client_secret: Option<SecretString>,
    /// The audience that an access token must name.
    pub audience: String,
    /// Further clients whose access tokens are accepted, such as the mobile app.
    pub bearer_clients: Vec<String>,
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginConfigError {
    /// The issuer is no URL, or one that anybody on the way could speak for.
    #[error("the issuer '{0}' must be a URL that begins with https://, or with http:// on this machine")]
    Issuer(String),
    /// The public URL is no base URL, or one over which cookies would be seen.
    #[error(
        "the public URL '{0}' must be like https://shop.example, without a path, or http:// on this machine"
    )]
    PublicUrl(String),
    /// The HTTP client cannot be made.
    #[error("the client of the identity provider cannot be made: {0}")]
    Client(String),
}

impl LoginConfig {
    /// Whether it can be used, as far as that shows without asking the provider.
    pub fn check(&self) -> Result<(), LoginConfigError> {
        provider::issuer_url(&self.issuer)?;
        flow::base_url(&self.public_url).map(drop)
    }
}

/// Somebody whom the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The provider.
    pub issuer: Arc<str>,
    /// Who, in the provider's words: unique there and never given to another.
    pub subject: String,
    /// The mail address.
    pub email: Option<String>,
    /// Whether the provider has seen that mail to the address reaches them.
    pub email_verified: bool,
    /// BCP 47 tag of their language.
    pub locale: Option<String>,
    /// What they are there.
    pub roles: Vec<String>,
}

/// Whose account a subject is, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub user: UserId,
    /// What they may, such as `orders:read`.
    pub scopes: Vec<String>,
}

/// Why there is no account for a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// There will be none; the text is for the person.
    Refused(String),
    /// It cannot be said at the moment.
    Unavailable,
}

/// Finds or makes the account of a subject. Asked for every access token that was not seen lately, so what was found
/// should be remembered.
pub trait Accounts: Send + Sync {
    /// The account of this subject.
    fn account<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<Account, AccountError>>;
}

/// A viewer whom the provider vouches for.
pub(crate) struct Vouched {
    pub(crate) viewer: Viewer,
    /// All sessions of the same subject, should the provider end them together.
    pub(crate) subject: SessionId,
    /// When the access token was issued, and when it ends.
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("The access token is not valid.")]
    InvalidToken,
    #[error("The access token has expired.")]
    ExpiredToken,
    #[error("The session is over. Log in again.")]
    SessionOver,
    #[error("{0}")]
    Refused(String),
    #[error("This log-in was not begun in this browser, or too long ago. Begin again.")]
    NotBegun,
    #[error("The identity provider did not let you in: {0}.")]
    NotLetIn(String),
    #[error("The identity provider's answer does not hold.")]
    Untrusted,
    #[error("Only a path of this site can be returned to.")]
    ForeignReturn,
    #[error("Logging in is not possible at the moment.")]
    Unavailable,
}

/// What the provider's access tokens are.
enum AccessTokens {
    /// The provider's own; whose account their subject is must be asked.
    Foreign(Arc<dyn Accounts>),
    /// Ours.
    Own(Box<TokenVerifier>),
}

/// For whom an access token stands.
struct Granted {
    viewer: Viewer,
    /// Who and which session, in the provider's words.
    subject: String,
    sid: Option<String>,
    issued: Timestamp,
    expires: Timestamp,
}

/// The log-ins of one gateway.
pub struct Logins {
    config: LoginConfig,
    provider: Provider,
    keys: SigningKeys,
    tokens: AccessTokens,
    sessions: Sessions,
    ended: Arc<Ended>,
    clock: Clock,
    tasks: Tasks,
}

impl Logins {
    /// Log-ins through this provider, reached in this way, whose subjects have these accounts. Nothing is asked before
    /// somebody wants to log in.
    pub fn new(
        config: LoginConfig,
        transport: Transport,
        accounts: Arc<dyn Accounts>,
        clock: Clock,
        tasks: &Tasks,
    ) -> Result<Self, LoginConfigError> {
        Self::with(config, transport, AccessTokens::Foreign(accounts), clock, tasks)
    }

    /// Log-ins through a provider of ours, whose access tokens are those that `verifier` accepts.
    pub fn own(
        config: LoginConfig,
        transport: Transport,
        verifier: TokenVerifier,
        clock: Clock,
        tasks: &Tasks,
    ) -> Result<Self, LoginConfigError> {
        Self::with(config, transport, AccessTokens::Own(Box::new(verifier)), clock, tasks)
    }

    fn with(
        mut config: LoginConfig,
        transport: Transport,
        tokens: AccessTokens,
        clock: Clock,
        tasks: &Tasks,
    ) -> Result<Self, LoginConfigError> {
        config.public_url = flow::base_url(&config.public_url)?;
        let provider = Provider::new(&config.issuer, transport, clock.clone())?;
        Ok(Self {
            config,
            provider,
            keys: SigningKeys::new(clock.clone()),
            tokens,
            sessions: Sessions::memory(),
            ended: Ended::new(clock.clone(), None, None),
            clock,
            tasks: tasks.clone(),
        })
    }

    /// The same with sessions that lie in this Redis, where there is one, and end for the whole gateway.
    pub(crate) fn within(self, remote: Option<Remote>, ended: Arc<Ended>) -> Self {
        let sessions = remote.map_or_else(Sessions::memory, Sessions::shared);
        Self { sessions, ended, ..self }
    }

    /// Names and properties of this gateway's cookies.
    pub(crate) fn cookies(&self) -> Cookies {
        Cookies::for_url(&self.config.public_url)
    }

    /// Whether a page of this origin is a page of this site.
    pub(crate) fn is_own_origin(&self, origin: &str) -> bool {
        origin == self.config.public_url
    }

    /// Where a path of this gateway is for browsers.
    pub(crate) fn public(&self, path: &str) -> String {
        format!("{}{path}", self.config.public_url)
    }

    /// The viewer of one of the provider's access tokens.
    pub(crate) async fn bearer(&self, token: &str, context: &ShopContext) -> Result<Vouched, LoginError> {
        let Granted { viewer, subject, issued, expires, .. } = self.granted(token, context).await?;
        Ok(Vouched { viewer, subject: self.session_of(&subject), issued, expires })
    }

    /// For whom one of the provider's access tokens stands.
    async fn granted(&self, token: &str, context: &ShopContext) -> Result<Granted, LoginError> {
        let accounts = match &self.tokens {
            AccessTokens::Foreign(accounts) => accounts,
            AccessTokens::Own(verifier) => return granted_by_us(verifier, token, context),
        };
        let access_token::Verified { subject, sid, issued, expires } =
            access_token::verify(self, token).await?;
        let account = accounts.account(&subject).await.map_err(|error| match error {
            AccountError::Refused(reason) => LoginError::Refused(reason),
            AccountError::Unavailable => LoginError::Unavailable,
        })?;
        let session = self.session_of(sid.as_deref().unwrap_or(&subject.subject));
        let actor = Actor::User { id: account.user, session };
        let viewer = Viewer { actor, scopes: account.scopes, context: context.clone() };
        Ok(Granted { viewer, subject: subject.subject, sid, issued, expires })
    }

    /// A session of the provider, or all of one subject together, under a name of ours.
    fn session_of(&self, name: &str) -> SessionId {
        let ours = match &self.tokens {
            AccessTokens::Own(_) => name.parse().ok(),
            AccessTokens::Foreign(_) => None,
        };
        ours.unwrap_or_else(|| session_id(self.provider.issuer().as_str(), name))
    }
}

fn granted_by_us(
    verifier: &TokenVerifier,
    token: &str,
    context: &ShopContext,
) -> Result<Granted, LoginError> {
    let (viewer, expires) = verifier.verify(token, context.clone()).map_err(|error| match error {
        TokenError::Invalid => LoginError::InvalidToken,
        TokenError::Expired => LoginError::ExpiredToken,
    })?;
    let subject = viewer.user_id().ok_or(LoginError::InvalidToken)?.to_string();
    let sid = viewer.session_id().map(|session| session.to_string());
    // A session of ours that has ended never comes again, so it does not matter when the token was issued.
    Ok(Granted { viewer, subject, sid, issued: Timestamp(0), expires })
}

/// The provider's session under a name of ours, so that it can be ended like any other.
fn session_id(issuer: &str, session: &str) -> SessionId {
    let digest = Sha256::new()
        .chain_update(issuer.len().to_be_bytes())
        .chain_update(issuer)
        .chain_update(session)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    SessionId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
