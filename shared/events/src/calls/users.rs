//! What `cart` and the gateway's composition root ask of `users`.

use common::Timestamp;
use common::id::{AddressId, SessionId, UserId};
use serde::{Deserialize, Serialize};

use super::Call;
use super::cart::PostalAddress;

/// Reads an address of a user's address book. Answers nothing where there is no such address or it is another's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadAddress {
    /// Which address.
    pub address: AddressId,
    /// Whose address book.
    pub user: UserId,
}

impl Call for ReadAddress {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "query AddressRead($request: ServiceCall!) { reply: addressRead(request: $request) }";
    type Reply = Option<PostalAddress>;
}

/// Reads where to write to a user. Answers nothing where there is no such user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadEmail {
    /// Whose.
    pub user: UserId,
}

impl Call for ReadEmail {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "query EmailRead($request: ServiceCall!) { reply: emailRead(request: $request) }";
    type Reply = Option<String>;
}

/// Which sessions have been ended, the earliest first, at most [`EndedSessions::MOST`] at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndedSessions {
    /// Not before this time.
    pub since: Timestamp,
    /// Of those of this very time only what comes after this session.
    pub after: Option<SessionId>,
}

impl EndedSessions {
    /// Where there are fewer, there are no more.
    pub const MOST: u64 = 1_000;
}

/// A session that was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Which.
    pub session: SessionId,
    /// When.
    pub at: Timestamp,
}

impl Call for EndedSessions {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "query SessionsEnded($request: ServiceCall!) { reply: sessionsEnded(request: $request) }";
    type Reply = Vec<EndedSession>;
}

/// Finds the account of somebody whom an identity provider vouches for; links or makes it the first time. Asked again it
/// answers the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkIdentity {
    /// The provider's issuer identifier.
    pub issuer: String,
    /// Who, in the provider's words.
    pub subject: String,
    /// The mail address that the provider names.
    pub email: Option<String>,
    /// Whether the provider has seen that mail to the address reaches them.
    pub email_verified: bool,
    /// BCP 47 tag of their language.
    pub locale: Option<String>,
    /// What they are there. Names that are no roles of the shop grant nothing.
    pub roles: Vec<String>,
}

/// What comes of [`LinkIdentity`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityLinked {
    /// There is an account.
    Account {
        /// Whose.
        user: UserId,
        /// What the roles permit, such as `orders:read`.
        scopes: Vec<String>,
    },
    /// There is none and there will be none; the text is for the person.
    Refused(String),
}

impl Call for LinkIdentity {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "mutation IdentityLink($request: ServiceCall!) { reply: identityLink(request: $request) }";
    type Reply = IdentityLinked;
}

/// Logs somebody in by their password, for the issuer that the shop itself is.
#[derive(Clone, Serialize, Deserialize)]
pub struct LogIn {
    /// What they typed as their mail address.
    pub email: String,
    /// What they typed as their password.
    pub password: String,
}

impl Call for LogIn {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "mutation LogIn($request: ServiceCall!) { reply: logIn(request: $request) }";
    type Reply = LoggedIn;
}

/// Exchanges a refresh token, likewise. It works once: asked again this ends the session.
#[derive(Clone, Serialize, Deserialize)]
pub struct RefreshLogIn {
    /// The latest one of the session.
    pub refresh_token: String,
}

impl Call for RefreshLogIn {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "mutation LogInRefresh($request: ServiceCall!) { reply: logInRefresh(request: $request) }";
    type Reply = LoggedIn;
}

/// What comes of [`LogIn`] and [`RefreshLogIn`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedIn {
    /// There is a session.
    Session(Box<IssuedSession>),
    /// There is none; the text is for the person.
    Refused(String),
}

/// A session, its tokens, and what may be said about its user.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedSession {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// As the gateway verifies it.
    pub access_token: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// Works once.
    pub refresh_token: String,
    /// The mail address.
    pub email: String,
    /// Whether they have proved that mail to it reaches them.
    pub email_verified: bool,
    /// BCP 47 tag of their language.
    pub locale: String,
}

/// Ends a session of a user. Asked again it changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndSession {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
}

impl Call for EndSession {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "mutation LogInEnd($request: ServiceCall!) { reply: logInEnd(request: $request) }";
    type Reply = ();
}
