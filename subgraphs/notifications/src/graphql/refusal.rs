//! How refusals look in the schema.

use async_graphql::{Enum, Interface, SimpleObject};

use crate::domain::Refusal;

/// Why a change to notifications is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum NotificationErrorCode {
    /// An input is not as it must be.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// The person has not agreed to be written to.
    ConsentRequired,
}

/// Why a change to notifications is refused.
#[derive(SimpleObject)]
pub struct NotificationUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: NotificationErrorCode,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    Notification(NotificationUserError),
}

impl NotificationUserError {
    fn at(refusal: Refusal, path: &[&str]) -> Self {
        use NotificationErrorCode::{Invalid, NotFound};
        let code = match refusal {
            Refusal::VariantUnknown | Refusal::EndpointUnknown => NotFound,
            _ => Invalid,
        };
        let field = Some(path.iter().map(|part| (*part).to_owned()).collect());
        Self { message: refusal.to_string(), field, code }
    }
}

/// A refusal of one of several inputs, by its place.
impl From<(usize, Refusal)> for NotificationUserError {
    fn from((place, refusal): (usize, Refusal)) -> Self {
        let field = if refusal == Refusal::TopicTwice { "topic" } else { "channels" };
        Self::at(refusal, &["input", &place.to_string(), field])
    }
}

impl From<Refusal> for NotificationUserError {
    fn from(refusal: Refusal) -> Self {
        let path: &[&str] = match refusal {
            Refusal::TopicTwice | Refusal::SecurityRequired | Refusal::ChannelNotOffered => &["input"],
            Refusal::EmailMissing | Refusal::EmailInvalid | Refusal::TooManyAlerts => &["input", "email"],
            Refusal::VariantUnknown => &["input", "variantId"],
            Refusal::UrlInvalid => &["input", "url"],
            Refusal::EventsInvalid => &["input", "events"],
            Refusal::EndpointUnknown => &["input", "id"],
            Refusal::ReplayNotOffered => &["endpointId"],
        };
        Self::at(refusal, path)
    }
}
