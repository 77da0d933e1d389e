//! Why a request was not executed: what the client is told, and with which status.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use engine::{GraphQLError, Response};

use crate::login::LoginError;

/// The values of `extensions.code` that the gateway gives. The engine and the subgraphs have theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Unauthenticated,
    Forbidden,
    BadUserInput,
    RateLimited,
    CostExceeded,
    ValidationFailed,
    DeadlineExceeded,
    PersistedQueryNotSupported,
    NotFound,
    LoginUnavailable,
    Internal,
}

impl Code {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::RateLimited => "RATE_LIMITED",
            Self::CostExceeded => "COST_EXCEEDED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::NotFound => "NOT_FOUND",
            Self::LoginUnavailable => "LOGIN_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// A request that ends before execution.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    /// The status; a mere request error is sent with 200 to a client that knows only `application/json`.
    pub(crate) status: StatusCode,
    /// The request was well-formed HTTP and only its GraphQL was at fault.
    pub(crate) is_request_error: bool,
    pub(crate) errors: Vec<GraphQLError>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Rejection {
    /// HTTP itself is at fault: this status for everybody.
    pub(crate) fn http(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        let errors = vec![GraphQLError::coded(code.as_str(), message)];
        Self { status, is_request_error: false, errors, headers: Vec::new() }
    }

    /// The body or the query string cannot be understood.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::http(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }

    /// A GraphQL request error (GraphQL, section 7.1): 400 under the new media type.
    pub(crate) fn request(errors: Vec<GraphQLError>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, is_request_error: true, errors, headers: Vec::new() }
    }

    /// One request error with a code of the gateway.
    pub(crate) fn request_coded(code: Code, message: impl Into<String>) -> Self {
        Self::request(vec![GraphQLError::coded(code.as_str(), message)])
    }

    /// Somebody says who they are and cannot prove it (RFC 6750, section 3).
    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
        Self::http(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// Too many requests: when to come again.
    pub(crate) fn throttled(message: &str, retry_after: Duration) -> Self {
        let mut rejection = Self::http(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
        let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
        for error in &mut rejection.errors {
            error.extensions.insert("retryable".into(), true.into());
            error.extensions.insert("retryAfterMs".into(), millis.into());
        }
        rejection.with_header(header::RETRY_AFTER, HeaderValue::from(millis.div_ceil(1_000)))
    }

    /// The same with one more header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The `extensions.code` of the first error.
    pub(crate) fn code(&self) -> &str {
        self.errors.first().map_or("", GraphQLError::code)
    }

    /// The body, every error with the request's id.
    pub(crate) fn into_response(mut self, request_id: &str) -> Response {
        for error in &mut self.errors {
            error.extensions.insert("requestId".into(), request_id.into());
        }
        Response::refused(&self.errors)
    }
}

impl From<LoginError> for Rejection {
    fn from(error: LoginError) -> Self {
        let message = error.to_string();
        match error {
            LoginError::InvalidToken | LoginError::ExpiredToken => Self::unauthenticated(message),
            LoginError::SessionOver | LoginError::NotLetIn(_) | LoginError::Untrusted => {
                Self::http(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
            }
            LoginError::Refused(_) => Self::http(StatusCode::FORBIDDEN, Code::Forbidden, message),
            LoginError::NotBegun | LoginError::ForeignReturn => Self::malformed(message),
            LoginError::Unavailable => {
                let mut rejection =
                    Self::http(StatusCode::SERVICE_UNAVAILABLE, Code::LoginUnavailable, message);
                for error in &mut rejection.errors {
                    error.extensions.insert("retryable".into(), true.into());
                }
                rejection
            }
        }
    }
}
