//! Log-ins.

use async_graphql::{ID, InputObject, SimpleObject, Union};
use subgraph::graphql::DateTime;

use super::refusal::UserUserError;
use super::user::{MfaMethod, User};
use crate::domain::Refusal;
use crate::service::Login;

/// A log-in.
#[derive(SimpleObject)]
pub struct Session {
    /// Send it as `Authorization: Bearer …`. It lasts 15 minutes.
    pub access_token: String,
    /// Exchange it for a new pair before the access token ends. It works once: bringing it again ends the session.
    pub refresh_token: Option<String>,
    /// When the access token ends.
    pub expires_at: DateTime,
    /// Who is logged in.
    pub user: User,
}

/// A second factor that is asked for before there is a session.
#[derive(SimpleObject)]
pub struct MfaChallenge {
    /// Send it to `mfaVerify` with the answer.
    pub challenge_id: ID,
    /// The second factors that the user has set up.
    pub methods: Vec<MfaMethod>,
    /// When the challenge ends.
    pub expires_at: DateTime,
}

/// What comes of logging in: a session, or a question first.
#[derive(Union)]
pub enum SessionResult {
    Session(Box<Session>),
    MfaChallenge(MfaChallenge),
}

/// What comes of logging in.
#[derive(SimpleObject)]
pub struct SessionPayload {
    /// The session, or the second factor that is asked for; null where the log-in is refused.
    pub result: Option<SessionResult>,
    /// Why it is refused.
    pub user_errors: Vec<UserUserError>,
}

impl From<Result<Login, Refusal>> for SessionPayload {
    fn from(outcome: Result<Login, Refusal>) -> Self {
        match outcome {
            Ok(login) => {
                let session = Session {
                    access_token: login.access_token,
                    refresh_token: Some(login.refresh_token),
                    expires_at: login.expires_at.into(),
                    user: User::proven(login.user),
                };
                let result = Some(SessionResult::Session(Box::new(session)));
                Self { result, user_errors: Vec::new() }
            }
            Err(refusal) => Self { result: None, user_errors: vec![refusal.into()] },
        }
    }
}

/// Who wants to log in: an e-mail address and a password, or the code of an identity provider.
#[derive(InputObject)]
pub struct SessionCreateInput {
    /// The code that an identity provider sent back.
    pub authorization_code: Option<String>,
    /// The PKCE verifier that belongs to the code (RFC 7636).
    pub code_verifier: Option<String>,
    /// The account's e-mail address.
    pub email: Option<String>,
    /// The account's password.
    pub password: Option<String>,
}

/// A session to go on with.
#[derive(InputObject)]
pub struct SessionRefreshInput {
    /// The session's latest refresh token.
    pub refresh_token: String,
}

/// The answer to a challenge.
#[derive(InputObject)]
pub struct MfaVerifyInput {
    /// The challenge's id.
    pub challenge_id: ID,
    /// The second factor that the answer is made with.
    pub method: MfaMethod,
    /// The code, or the authenticator's answer as JSON.
    pub response: String,
}
