//! What the accounts refuse, and what they say then.

/// A refusal. Its text is for the person who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not an address that mail can be sent to.
    #[error("This is not an e-mail address.")]
    EmailInvalid,
    /// Another account has this address.
    #[error("There is an account with this e-mail address already.")]
    EmailTaken,
    /// The password is easily guessed; the text says why.
    #[error("Choose another password: {0}.")]
    PasswordWeak(&'static str),
    /// The new password is easily guessed; the text says why.
    #[error("Choose another password: {0}.")]
    NewPasswordWeak(&'static str),
    /// Unknown address or wrong password: it is not said which.
    #[error("E-mail address or password are wrong.")]
    CredentialsWrong,
    /// Too many failed tries.
    #[error("Too many failed tries. Try again in a quarter of an hour, or reset your password.")]
    TooManyTries,
    /// Neither mail address with password nor an authorisation code was sent.
    #[error("Send an e-mail address and a password.")]
    CredentialsMissing,
    /// No identity provider is configured.
    #[error("No identity provider is set up here: log in with an e-mail address and a password.")]
    NoIdentityProvider,
    /// The provider names no mail address, or has not seen that it is theirs.
    #[error("Confirm your e-mail address with the identity provider first.")]
    EmailUnproven,
    /// Somebody has the address here and has never proved that it is theirs.
    #[error(
        "There is an account with this e-mail address already, and nobody has confirmed the address. Set a new password \
         for it here: that confirms it. Then log in again."
    )]
    AccountUnproven,
    /// A refresh token that is unknown, used, expired or revoked: it is not said which.
    #[error("The session is over. Log in again.")]
    SessionOver,
    /// A reset token that is unknown, used or expired: it is not said which.
    #[error("This link has expired or was used before. Ask for a new one.")]
    ResetOver,
    /// No second factor is being asked for under this id.
    #[error("No log-in waits for a second factor under this id.")]
    NoChallenge,
    /// A field of an address is wrong; the text says how.
    #[error("The address cannot be kept: {1}.")]
    Address(&'static str, &'static str),
    /// The viewer has no such address.
    #[error("You have no such address.")]
    AddressUnknown,
    /// The address book is full.
    #[error("Your address book is full.")]
    AddressBookFull,
}
