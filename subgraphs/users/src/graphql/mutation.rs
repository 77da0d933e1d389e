//! Changes to accounts.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use common::settle;
use events::calls::users::{EndSession, IssuedSession, LinkIdentity, LogIn, LoggedIn, RefreshLogIn};
use subgraph::graphql::{
    Authenticated, LanguageTag, ServiceCall, ServiceOnly, authenticated, begin_session, parse_id, shop,
    viewer,
};

use super::address::{Address, AddressUpsertInput};
use super::part;
use super::refusal::UserUserError;
use super::session::{MfaVerifyInput, SessionCreateInput, SessionPayload, SessionRefreshInput};
use super::user::User;
use crate::domain::Refusal;
use crate::service::{Accounts, Login, Registration};

/// Where changing begins.
pub struct Mutation;

/// An account to make.
#[derive(InputObject)]
pub struct UserRegisterInput {
    /// The e-mail address. No two accounts have the same.
    pub email: String,
    /// The password: at least 10 characters, and not one that many people use.
    pub password: String,
    /// The language in which the user is written to; that of the request where missing.
    pub locale: Option<LanguageTag>,
}

/// What comes of making an account.
#[derive(SimpleObject)]
pub struct UserRegisterPayload {
    /// The user; null where the account is refused.
    pub user: Option<User>,
    /// Why it is refused.
    pub user_errors: Vec<UserUserError>,
}

/// What comes of logging out.
#[derive(SimpleObject)]
pub struct SessionEndPayload {
    /// Whether the session is over.
    pub ok: bool,
}

/// Whose password is forgotten.
#[derive(InputObject)]
pub struct PasswordResetRequestInput {
    /// The account's e-mail address.
    pub email: String,
}

/// A new password.
#[derive(InputObject)]
pub struct PasswordResetInput {
    /// The token from the mail.
    pub token: String,
    /// The new password: at least 10 characters, and not one that many people use.
    pub new_password: String,
}

/// What comes of resetting a password.
#[derive(SimpleObject)]
pub struct PasswordResetPayload {
    /// Whether it was taken. A request is always taken, whether anybody has the address or not.
    pub ok: bool,
    /// Why it is refused.
    pub user_errors: Vec<UserUserError>,
}

/// What comes of keeping an address.
#[derive(SimpleObject)]
pub struct AddressUpsertPayload {
    /// The address; null where it is refused.
    pub address: Option<Address>,
    /// Why it is refused.
    pub user_errors: Vec<UserUserError>,
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Makes an account. It does not log in.
    async fn user_register(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account.")] input: UserRegisterInput,
    ) -> Result<UserRegisterPayload> {
        let locale = input.locale.map_or_else(|| shop(context).locale.clone(), |tag| tag.0);
        let new = Registration { email: input.email, password: input.password, locale };
        Ok(match settle(part::<Accounts>(context)?.register(new).await)? {
            Ok(user) => UserRegisterPayload { user: Some(User::proven(user)), user_errors: Vec::new() },
            Err(refusal) => UserRegisterPayload { user: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Logs in. What else the answer asks of the user, such as the cart, is asked as this user.
    async fn session_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who wants to log in.")] input: SessionCreateInput,
    ) -> Result<SessionPayload> {
        Ok(match (input.email, input.password) {
            (Some(email), Some(password)) => {
                answer(context, settle(part::<Accounts>(context)?.log_in(&email, &password).await)?)
            }
            _ if input.authorization_code.is_some() => Err(Refusal::NoIdentityProvider).into(),
            _ => Err(Refusal::CredentialsMissing).into(),
        })
    }

    /// Exchanges a refresh token for a new pair of tokens.
    async fn session_refresh(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session to go on with.")] input: SessionRefreshInput,
    ) -> Result<SessionPayload> {
        let refreshed = part::<Accounts>(context)?.refresh(&input.refresh_token).await;
        Ok(answer(context, settle(refreshed)?))
    }

    /// Logs out. The refresh token stops at once, the access token within five seconds.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn session_end(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Ends all sessions of the user, on other devices too.",
            default_with = "Some(false)"
        )]
        everywhere: Option<bool>,
    ) -> Result<SessionEndPayload> {
        part::<Accounts>(context)?.log_out(viewer(context), everywhere.unwrap_or(false)).await?;
        Ok(SessionEndPayload { ok: true })
    }

    /// Has a link for a new password mailed, if there is an account with this address. The answer is the same if not.
    async fn password_reset_request(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose password is forgotten.")] input: PasswordResetRequestInput,
    ) -> Result<PasswordResetPayload> {
        part::<Accounts>(context)?.request_password_reset(&input.email).await?;
        Ok(PasswordResetPayload { ok: true, user_errors: Vec::new() })
    }

    /// Sets a new password and ends all sessions of the user.
    async fn password_reset(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new password.")] input: PasswordResetInput,
    ) -> Result<PasswordResetPayload> {
        let reset = part::<Accounts>(context)?.reset_password(&input.token, &input.new_password).await;
        Ok(match settle(reset)? {
            Ok(()) => PasswordResetPayload { ok: true, user_errors: Vec::new() },
            Err(refusal) => PasswordResetPayload { ok: false, user_errors: vec![refusal.into()] },
        })
    }

    /// Answers the challenge of a log-in. No account has a second factor yet, so no challenge is ever open.
    async fn mfa_verify(
        &self,
        #[graphql(desc = "The answer.")] input: MfaVerifyInput,
    ) -> Result<SessionPayload> {
        let _ = input;
        Ok(Err(Refusal::NoChallenge).into())
    }

    /// Finds, links or makes the account of somebody whom an identity provider vouches for. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn identity_link(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `LinkIdentity`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let reply = part::<Accounts>(context)?.link_identity(&request.read()?).await?;
        Ok(ServiceCall::reply::<LinkIdentity>(&reply)?)
    }

    /// Logs somebody in by their password, for the issuer that the shop itself is. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn log_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `LogIn`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: LogIn = request.read()?;
        let outcome = part::<Accounts>(context)?.log_in(&request.email, &request.password).await;
        Ok(ServiceCall::reply::<LogIn>(&logged_in(settle(outcome)?))?)
    }

    /// Exchanges a refresh token, for the issuer that the shop itself is. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn log_in_refresh(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `RefreshLogIn`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: RefreshLogIn = request.read()?;
        let outcome = part::<Accounts>(context)?.refresh(&request.refresh_token).await;
        Ok(ServiceCall::reply::<RefreshLogIn>(&logged_in(settle(outcome)?))?)
    }

    /// Ends a session, for the issuer that the shop itself is. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn log_in_end(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "An `EndSession`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: EndSession = request.read()?;
        part::<Accounts>(context)?.end_session(request.user, request.session).await?;
        Ok(ServiceCall::reply::<EndSession>(&())?)
    }

    /// Adds an address to the viewer's address book, or changes one.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn address_upsert(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The address.")] input: AddressUpsertInput,
    ) -> Result<AddressUpsertPayload> {
        let owner = viewer(context).require_user()?;
        let id = input.id.as_ref().map(parse_id).transpose()?;
        let kept = part::<Accounts>(context)?.upsert_address(owner, id, input.into()).await;
        Ok(match settle(kept)? {
            Ok(address) => AddressUpsertPayload { address: Some(address.into()), user_errors: Vec::new() },
            Err(refusal) => AddressUpsertPayload { address: None, user_errors: vec![refusal.into()] },
        })
    }
}

/// A log-in holds from now on, also for the rest of the operation.
fn answer(context: &Context<'_>, outcome: std::result::Result<Login, Refusal>) -> SessionPayload {
    if let Ok(login) = &outcome {
        begin_session(context, &login.access_token);
    }
    outcome.into()
}

fn logged_in(outcome: std::result::Result<Login, Refusal>) -> LoggedIn {
    match outcome {
        Ok(Login { user, session, access_token, refresh_token, expires_at }) => {
            LoggedIn::Session(Box::new(IssuedSession {
                user: user.id,
                session,
                access_token,
                expires_at,
                refresh_token,
                email: user.email,
                email_verified: user.email_verified,
                locale: user.locale,
            }))
        }
        Err(refusal) => LoggedIn::Refused(refusal.to_string()),
    }
}
