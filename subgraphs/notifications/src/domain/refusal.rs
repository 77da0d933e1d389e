//! What notifications refuse, and what they say then.

/// A refusal. Its text is for the person who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A topic is named twice.
    #[error("Name each topic once.")]
    TopicTwice,
    /// The topic must keep a channel.
    #[error("Messages about your account's security always reach you by e-mail.")]
    SecurityRequired,
    /// Nothing is sent through the channel.
    #[error("This shop sends nothing through this channel yet.")]
    ChannelNotOffered,
    /// A guest gave no address.
    #[error("Log in, or say to which e-mail address we shall write.")]
    EmailMissing,
    /// Not an address that mail can be sent to.
    #[error("This is not an e-mail address.")]
    EmailInvalid,
    /// There is no such variant.
    #[error("There is no such product variant.")]
    VariantUnknown,
    /// Too many alerts wait for the address.
    #[error("Too many alerts wait for this e-mail address.")]
    TooManyAlerts,
    /// Not a URL that can be called.
    #[error(
        "An endpoint is a URL with https or http, without password or fragment, of at most 2,000 characters."
    )]
    UrlInvalid,
    /// No events, or an unknown one.
    #[error("Name at least one event that there is; '*' means all.")]
    EventsInvalid,
    /// There is no such endpoint.
    #[error("There is no such endpoint.")]
    EndpointUnknown,
    /// Webhooks are kept but not called yet.
    #[error("Endpoints are kept, but events are not sent to them yet, so there is nothing to replay.")]
    ReplayNotOffered,
}
