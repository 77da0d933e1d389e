//! How refusals look in the schema.

use async_graphql::{Enum, Interface, SimpleObject};

use crate::domain::Refusal;

/// Why a change to an account is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum UserErrorCode {
    /// An input is not as it must be, or e-mail address and password do not belong together.
    Invalid,
    /// Another account has it.
    Taken,
    /// There is no such thing.
    NotFound,
    /// The password is easily guessed.
    WeakPassword,
    /// A second factor is needed first.
    MfaRequired,
    /// The answer to the challenge is wrong, or there is no such challenge.
    MfaInvalid,
    /// The token has expired, was used before, or was never one.
    TokenExpired,
    /// It was changed since the version that was seen.
    VersionConflict,
    /// Too many tries; later ones may go well.
    RateLimited,
}

/// Why a change to an account is refused.
#[derive(SimpleObject)]
pub struct UserUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: UserErrorCode,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    User(UserUserError),
}

impl From<Refusal> for UserUserError {
    fn from(refusal: Refusal) -> Self {
        use UserErrorCode as Code;
        let (code, field) = match refusal {
            Refusal::EmailInvalid => (Code::Invalid, Some("email")),
            Refusal::EmailTaken => (Code::Taken, Some("email")),
            Refusal::PasswordWeak(_) => (Code::WeakPassword, Some("password")),
            Refusal::NewPasswordWeak(_) => (Code::WeakPassword, Some("newPassword")),
            Refusal::CredentialsWrong | Refusal::CredentialsMissing => (Code::Invalid, None),
            Refusal::TooManyTries => (Code::RateLimited, None),
            Refusal::NoIdentityProvider => (Code::Invalid, Some("authorizationCode")),
            Refusal::EmailUnproven => (Code::Invalid, None),
            Refusal::AccountUnproven => (Code::Taken, None),
            Refusal::SessionOver => (Code::TokenExpired, Some("refreshToken")),
            Refusal::ResetOver => (Code::TokenExpired, Some("token")),
            Refusal::NoChallenge => (Code::MfaInvalid, Some("challengeId")),
            Refusal::Address(field, _) => (Code::Invalid, Some(field)),
            Refusal::AddressUnknown => (Code::NotFound, Some("id")),
            Refusal::AddressBookFull => (Code::Invalid, None),
        };
        let field = field.map(|field| vec!["input".to_owned(), field.to_owned()]);
        Self { message: refusal.to_string(), field, code }
    }
}
