//! The document of a request, and whether it is small enough to be validated and planned.

use engine::{ParsedOperation, Refusal};

use super::measure::measure;
use crate::config::Limits;
use crate::http::body::GraphqlRequest;
use crate::rejection::{Code, Rejection};

/// The text to execute.
pub(crate) fn text(request: &GraphqlRequest) -> Result<&str, Rejection> {
    if let Some(query) = &request.query {
        return Ok(query);
    }
    let names_persisted =
        request.extensions.as_ref().is_some_and(|extensions| extensions.contains_key("persistedQuery"));
    if names_persisted {
        // Clients that know automatic persisted queries send the text next and stop asking this way.
        return Err(Rejection::request_coded(Code::PersistedQueryNotSupported, "PersistedQueryNotSupported"));
    }
    Err(Rejection::malformed("The request has no member 'query'."))
}

/// Turns documents down that are too large with their fragments followed. Called before validation, which is not
/// linear in everything.
pub(crate) fn check(parsed: &ParsedOperation<'_>, limits: &Limits) -> Result<(), Refusal> {
    match measure(parsed.document).exceeds(limits) {
        None => Ok(()),
        Some(message) => Err(Refusal { code: Code::ValidationFailed.as_str().to_owned(), message }),
    }
}
