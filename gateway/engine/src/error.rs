//! Errors as GraphQL responses carry them, and why an operation cannot be prepared.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::execute::json::write_string;

/// The values of `extensions.code` that the engine itself gives. Subgraphs may give others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    Unauthenticated,
    Forbidden,
    BadUserInput,
    ParseFailed,
    ValidationFailed,
    CostExceeded,
    SubgraphUnavailable,
    DeadlineExceeded,
    Internal,
}

impl ErrorCode {
    /// As it stands in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::Unauthenticated => "UNAUTHENTICATED",
            ErrorCode::Forbidden => "FORBIDDEN",
            ErrorCode::BadUserInput => "BAD_USER_INPUT",
            ErrorCode::ParseFailed => "GRAPHQL_PARSE_FAILED",
            ErrorCode::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            ErrorCode::CostExceeded => "COST_EXCEEDED",
            ErrorCode::SubgraphUnavailable => "SUBGRAPH_UNAVAILABLE",
            ErrorCode::DeadlineExceeded => "DEADLINE_EXCEEDED",
            ErrorCode::Internal => "INTERNAL",
        }
    }

    /// Whether the same request may succeed when it is sent again.
    pub fn is_retryable(self) -> bool {
        matches!(self, ErrorCode::SubgraphUnavailable | ErrorCode::DeadlineExceeded)
    }
}

/// A place in the client's document, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    pub line: usize,
    pub column: usize,
}

/// One step of a path into the client's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    Key(String),
    Index(usize),
}

/// One entry of `errors`.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphQLError {
    pub message: String,
    pub locations: Vec<Location>,
    pub path: Vec<PathSegment>,
    /// Has a `code` always.
    pub extensions: Map<String, Value>,
}

impl GraphQLError {
    /// An error with a code of ours.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let mut error = GraphQLError::coded(code.as_str(), message);
        if code.is_retryable() {
            error.extensions.insert("retryable".into(), true.into());
        }
        error
    }

    /// An error with any code.
    pub fn coded(code: &str, message: impl Into<String>) -> Self {
        let mut extensions = Map::new();
        extensions.insert("code".into(), code.into());
        GraphQLError { message: message.into(), locations: Vec::new(), path: Vec::new(), extensions }
    }

    /// The same error at a place of the answer.
    pub fn at(mut self, path: Vec<PathSegment>) -> Self {
        self.path = path;
        self
    }

    /// `extensions.code`.
    pub fn code(&self) -> &str {
        self.extensions.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// Appends the error as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"message\":");
        write_string(out, &self.message);
        if !self.locations.is_empty() {
            out.extend_from_slice(b",\"locations\":[");
            for (position, location) in self.locations.iter().enumerate() {
                let comma = if position > 0 { "," } else { "" };
                let text = format!("{comma}{{\"line\":{},\"column\":{}}}", location.line, location.column);
                out.extend_from_slice(text.as_bytes());
            }
            out.push(b']');
        }
        if !self.path.is_empty() {
            out.extend_from_slice(b",\"path\":[");
            for (position, segment) in self.path.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                match segment {
                    PathSegment::Key(key) => write_string(out, key),
                    PathSegment::Index(index) => out.extend_from_slice(index.to_string().as_bytes()),
                }
            }
            out.push(b']');
        }
        out.extend_from_slice(b",\"extensions\":");
        serde_json::to_writer(&mut *out, &self.extensions)
            .expect("a map with text keys can be written to memory");
        out.push(b'}');
    }
}

/// The caller's own check has turned the document down.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{message}")]
pub struct Refusal {
    /// For `extensions.code`.
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Refusal { code: code.as_str().to_owned(), message: message.into() }
    }
}

/// Why an operation cannot be prepared. All of them are the client's doing except `Internal`.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PrepareError {
    #[error("the document cannot be parsed")]
    Parse(Vec<GraphQLError>),
    #[error("the document is not valid")]
    Validation(Vec<GraphQLError>),
    /// `operationName` names nothing, or it is needed and missing.
    #[error("{0}")]
    UnknownOperation(String),
    #[error(transparent)]
    Refused(Refusal),
    /// Planning would take more work than is allowed.
    #[error("{0}")]
    TooCostly(String),
    /// The planner or the compiler has failed on a valid document.
    #[error("{0}")]
    Internal(String),
}

impl PrepareError {
    /// What to tell the client; an internal message is not among it.
    pub fn to_graphql(&self) -> Vec<GraphQLError> {
        match self {
            PrepareError::Parse(errors) | PrepareError::Validation(errors) => errors.clone(),
            PrepareError::UnknownOperation(message) => {
                vec![GraphQLError::new(ErrorCode::BadUserInput, message)]
            }
            PrepareError::Refused(refusal) => vec![GraphQLError::coded(&refusal.code, &refusal.message)],
            PrepareError::TooCostly(message) => vec![GraphQLError::new(ErrorCode::CostExceeded, message)],
            PrepareError::Internal(_) => vec![GraphQLError::new(ErrorCode::Internal, "Internal error")],
        }
    }
}

/// Why an engine cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    #[error("the supergraph names the subgraph {0}, for which there is no transport")]
    MissingSubgraph(String),
}
