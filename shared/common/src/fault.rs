//! Faults: machinery failing, as opposed to refusals, which are the business saying no.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What a client may be told about a fault. The names are the `extensions.code` of a GraphQL error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// Something broke; the message is masked.
    Internal,
    /// A dependency did not answer; trying again may help.
    Unavailable,
    /// The time allowed ran out.
    DeadlineExceeded,
    /// Two writers collided more often than is retried.
    Conflict,
    /// What the client sent can not be understood.
    BadInput,
    /// Nobody is logged in.
    Unauthenticated,
    /// Somebody is, but may not.
    Forbidden,
}

impl FaultCode {
    /// The `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "INTERNAL",
            Self::Unavailable => "SUBGRAPH_UNAVAILABLE",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Conflict => "CONFLICT",
            Self::BadInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
        }
    }

    /// Whether trying the same again may help.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::DeadlineExceeded | Self::Conflict)
    }

    /// Whether the operator should hear of it: the machinery failed, not the caller.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Internal | Self::Unavailable)
    }
}

/// A fault with its cause. `Display` is safe to send; the source is for the log.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What a client may know.
    pub code: FaultCode,
    message: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault with a message that a client may read.
    pub fn new(code: FaultCode, message: impl Into<Arc<str>>) -> Self {
        Self { code, message: message.into(), source: None }
    }

    /// Something broke inside; a client reads only that.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code: FaultCode::Internal,
            message: "Something went wrong on our side.".into(),
            source: Some(source.into().into()),
        }
    }

    /// A dependency did not answer.
    pub fn unavailable(what: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code: FaultCode::Unavailable,
            message: format!("{what} is not available at the moment.").into(),
            source: Some(source.into().into()),
        }
    }

    /// What the client sent can not be understood.
    pub fn bad_input(message: impl Into<Arc<str>>) -> Self {
        Self::new(FaultCode::BadInput, message)
    }

    /// The causes, outermost first, in one line for the log.
    pub fn chain(&self) -> String {
        let mut text = self.message.to_string();
        let mut cause: Option<&dyn Error> = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

impl From<sea_orm::DbErr> for Fault {
    fn from(error: sea_orm::DbErr) -> Self {
        match &error {
            _ if is_out_of_reach(&error) => Self::unavailable("The database", error),
            sea_orm::DbErr::Exec(cause) | sea_orm::DbErr::Query(cause) if is_collision(cause) => Self {
                code: FaultCode::Conflict,
                message: "Somebody else changed the same thing at the same moment.".into(),
                source: Some(Arc::new(error)),
            },
            _ => Self::internal(error),
        }
    }
}

/// Whether the connection is at fault and not the statement, or the server that ended it.
pub fn is_out_of_reach(error: &sea_orm::DbErr) -> bool {
    // What MySQL and MariaDB say when a statement has taken its time, and when it was killed.
    const ENDS: [&str; 3] =
        ["max_statement_time", "maximum statement execution time", "Connection was killed"];
    is_away(error) || matches!(error, sea_orm::DbErr::Conn(_)) || is_said(error, &ENDS)
}

/// Whether nothing was heard of the server in time, or only that it ends: it is not worth asking at the moment, whatever
/// one would ask. Anything else that it says is an answer.
pub fn is_away(error: &sea_orm::DbErr) -> bool {
    use sea_orm::sqlx::Error;
    use sea_orm::{DbErr, RuntimeErr};
    let cause = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => cause,
        _ => return false,
    };
    let RuntimeErr::SqlxError(cause) = cause else { return false };
    match &**cause {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => true,
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
        _ => is_said(error, &["shutdown in progress"]),
    }
}

/// Whether the server has said one of these in its error.
fn is_said(error: &sea_orm::DbErr, texts: &[&str]) -> bool {
    use sea_orm::{DbErr, RuntimeErr};
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else { return false };
    let RuntimeErr::SqlxError(cause) = cause else { return false };
    let Some(answer) = cause.as_database_error() else { return false };
    texts.iter().any(|text| answer.message().contains(text))
}

/// Deadlock (1213) and lock wait (1205) of MySQL; busy (5) and busy snapshot (517) of SQLite: rolled back, and worth
/// another try.
fn is_collision(cause: &sea_orm::RuntimeErr) -> bool {
    let sea_orm::RuntimeErr::SqlxError(error) = cause else { return false };
    let Some(error) = error.as_database_error() else { return false };
    let message = error.message();
    message.contains("Deadlock found")
        || message.contains("Lock wait timeout")
        || matches!(error.code().as_deref(), Some("5" | "517"))
}

impl From<crate::page::PageError> for Fault {
    fn from(error: crate::page::PageError) -> Self {
        Self::bad_input(error.to_string())
    }
}

/// How a use case ends when it does not succeed: the business refused, or the machinery failed.
#[derive(Debug, Clone)]
pub enum Failure<R> {
    /// The business says no: becomes a typed user error.
    Refused(R),
    /// The machinery failed: becomes a coded error at the top level.
    Fault(Fault),
}

impl<R> From<Fault> for Failure<R> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<R> From<sea_orm::DbErr> for Failure<R> {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Fault(error.into())
    }
}

impl<R> From<crate::page::PageError> for Failure<R> {
    fn from(error: crate::page::PageError) -> Self {
        Self::Fault(error.into())
    }
}

/// Splits a use case's result into what the schema shows: the outcome or a refusal, with faults passed up.
pub fn settle<T, R>(result: Result<T, Failure<R>>) -> Result<Result<T, R>, Fault> {
    match result {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
        Err(Failure::Fault(fault)) => Err(fault),
    }
}
