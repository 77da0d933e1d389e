//! Parameters of a query or a form.

use std::time::Duration;

use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};

/// In bytes; the longest that is asked for is an ID token.
const LARGEST: usize = 16 * 1024;
/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names and values as they came.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Of a query; `None` where it is too long.
    pub(super) fn of_query(query: &str) -> Option<Self> {
        (query.len() <= LARGEST).then(|| Self::parse(query.as_bytes()))
    }

    /// Of a body; `None` where it is too long or does not arrive.
    pub(super) async fn of_body(body: Body) -> Option<Self> {
        let read = tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await;
        Some(Self::parse(&read.ok()?.ok()?.to_bytes()))
    }

    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether a name is there twice. It may mean two things then, so it means nothing (RFC 6749, section 3.1).
    pub(super) fn is_ambiguous(&self) -> bool {
        let names = self.0.iter().map(|(name, _)| name);
        names.clone().enumerate().any(|(place, name)| names.clone().take(place).any(|other| other == name))
    }
}
